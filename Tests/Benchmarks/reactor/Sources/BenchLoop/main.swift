// Measures the costs of the loop. Prints `name value` lines, which run.sh compares with those of
// libevent.c, which does the same work as far as libevent has the function.

checkOrder()
try measureTimerQueue()
try measureTimers()
try measureTasks()
if timers == 1_000_000 { try measureWakeups() }
