#include "rocket_civil.h"

// Days to civil date: Howard Hinnant's algorithm; no tables, no locks, no time zone.
void rocket_civil(int64_t seconds, int32_t out[6]) {
    int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) rest += 86400, days -= 1;
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153; // March is 0
    out[2] = (int32_t)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    out[1] = (int32_t)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    out[0] = (int32_t)(year_of_era + era * 400 + (out[1] <= 2));
    out[3] = (int32_t)(rest / 3600);
    out[4] = (int32_t)(rest / 60 % 60);
    out[5] = (int32_t)(rest % 60);
}
