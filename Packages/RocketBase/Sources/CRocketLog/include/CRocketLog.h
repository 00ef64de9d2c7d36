// The part of the log that also runs inside a signal handler: records, rings, lines, crash
// handlers.
#ifndef CROCKETLOG_H
#define CROCKETLOG_H
#include "rocket_crash.h"
#include "rocket_log.h"
#endif
