// The only civil-date computation of the project: used by log lines, also inside a signal handler,
// and by Swift's `CivilDate`. Header only, so that CRocketLog gets it without a call.
#ifndef ROCKET_CIVIL_H
#define ROCKET_CIVIL_H
#include <stdint.h>

/// Stores the proleptic Gregorian date and time of `seconds` since 1970-01-01T00:00:00 in `out`:
/// year, month (1 to 12), day (1 to 31), hour, minute, second. Negative seconds are before 1970.
///
/// Howard Hinnant's algorithm: arithmetic only, without tables, locks and time zones, therefore
/// async-signal-safe. Years are counted from 1 March, so that a leap day is the last of its year.
static inline void rocket_civil(int64_t seconds, int32_t out[6]) {
    int64_t days = seconds / 86400, second_of_day = seconds % 86400;
    if (second_of_day < 0) second_of_day += 86400, days -= 1;
    days += 719468; // from 0000-03-01
    int64_t era = (days >= 0 ? days : days - 146096) / 146097; // 400 years
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153; // March is 0
    out[2] = (int32_t)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    out[1] = (int32_t)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    out[0] = (int32_t)(year_of_era + era * 400 + (out[1] <= 2));
    out[3] = (int32_t)(second_of_day / 3600);
    out[4] = (int32_t)(second_of_day / 60 % 60);
    out[5] = (int32_t)(second_of_day % 60);
}
#endif
