// The loop's own costs. Prints `name value` lines that run.sh lays beside those of libevent.c,
// which does the same work where libevent has the like.

checkOrder()
try measureTimerQueue()
try measureTimers()
try measureTasks()
if timers == 1_000_000 { try measureWakeups() }
