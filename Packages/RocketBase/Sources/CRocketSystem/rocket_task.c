#include "rocket_task.h"

// Exported by libswift_Concurrency, part of its ABI: the compiler lets no Swift file name them.
extern ROCKET_SWIFTCALL void *swift_task_addCancellationHandler(
    rocket_task_heard heard, void *context);
extern ROCKET_SWIFTCALL void swift_task_removeCancellationHandler(void *record);

ROCKET_SWIFTCALL void *rocket_task_hear_cancellation(rocket_task_heard heard, void *context) {
    return swift_task_addCancellationHandler(heard, context);
}

ROCKET_SWIFTCALL void rocket_task_ignore_cancellation(void *record, rocket_task_heard heard,
                                                      void *context) {
    (void)heard;
    (void)context;
    swift_task_removeCancellationHandler(record);
}
