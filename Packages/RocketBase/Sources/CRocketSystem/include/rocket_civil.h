// The calendar by arithmetic alone: fit for signal handlers.
#ifndef ROCKET_CIVIL_H
#define ROCKET_CIVIL_H
#include <stdint.h>

/// Civil date and time of `seconds` since 1970: year, month, day, hour, minute, second.
void rocket_civil(int64_t seconds, int32_t out[6]);
#endif
