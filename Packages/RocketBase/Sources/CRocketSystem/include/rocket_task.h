// The part of Swift's concurrency runtime that `withTaskCancellationHandler` stands on.
#ifndef ROCKET_TASK_H
#define ROCKET_TASK_H

#define ROCKET_SWIFTCALL __attribute__((swiftcall))

/// What is called when a task is cancelled: a Swift closure, as its two words.
typedef ROCKET_SWIFTCALL void (*rocket_task_heard)(__attribute__((swift_context)) void *context);

/// From now on the current task's cancellation is heard, on whatever thread it comes from; at once
/// where it has been cancelled. The closure must stay until `rocket_task_ignore_cancellation`,
/// which is given it once more for that reason alone.
ROCKET_SWIFTCALL void *rocket_task_hear_cancellation(rocket_task_heard heard, void *context);
/// Ends what the other one began, in the same task; a closure that runs just now is waited for.
ROCKET_SWIFTCALL void rocket_task_ignore_cancellation(void *record, rocket_task_heard heard,
                                                      void *context);
#endif
