// The functions of Swift's concurrency runtime that RocketRuntime calls, under names of our own:
// the compiler refuses the runtime's own names in Swift files. See RocketRuntime/SAFETY.md.
#ifndef ROCKET_RUNTIME_H
#define ROCKET_RUNTIME_H

#define ROCKET_SWIFTCALL __attribute__((swiftcall))

/// Called when a task is cancelled: a Swift closure, as its two words.
typedef ROCKET_SWIFTCALL void (*rocket_cancellation_handler)(
    __attribute__((swift_context)) void *context);

/// Registers `handler` for the current task's cancellation. It is called on the thread that
/// cancels; at once where the task has been cancelled already. The closure must stay valid until
/// rocket_task_remove_cancellation_handler, which takes it once more for that reason alone.
ROCKET_SWIFTCALL void *rocket_task_add_cancellation_handler(rocket_cancellation_handler handler,
                                                            void *context);
/// Undoes the registration, in the same task; waits for a handler that is running.
ROCKET_SWIFTCALL void rocket_task_remove_cancellation_handler(void *record,
                                                              rocket_cancellation_handler handler,
                                                              void *context);

/// Binds the value of type `type` that stands at `value` to the task-local `key`, in the current
/// task; takes the value over. Bindings are undone in reverse order, by rocket_task_local_pop.
ROCKET_SWIFTCALL void rocket_task_local_push(const void *key, void *value, const void *type);
/// Undoes the newest binding of the current task.
ROCKET_SWIFTCALL void rocket_task_local_pop(void);
/// Returns where the value of the newest binding of `key` stands; NULL without one. Valid until
/// that binding is undone, in the task that made it.
ROCKET_SWIFTCALL void *rocket_task_local_address(const void *key);
#endif
