#include "CRocketRuntime.h"

// Exported by libswift_Concurrency, part of its ABI (stdlib/public/Concurrency, TaskPrivate.h and
// TaskLocal.cpp of Swift 6.3).
extern ROCKET_SWIFTCALL void *swift_task_addCancellationHandler(
    rocket_cancellation_handler handler, void *context);
extern ROCKET_SWIFTCALL void swift_task_removeCancellationHandler(void *record);
extern ROCKET_SWIFTCALL void swift_task_localValuePush(const void *key, void *value,
                                                       const void *type);
extern ROCKET_SWIFTCALL void swift_task_localValuePop(void);
extern ROCKET_SWIFTCALL void *swift_task_localValueGet(const void *key);

ROCKET_SWIFTCALL void *rocket_task_add_cancellation_handler(rocket_cancellation_handler handler,
                                                            void *context) {
    return swift_task_addCancellationHandler(handler, context);
}

ROCKET_SWIFTCALL void rocket_task_remove_cancellation_handler(void *record,
                                                              rocket_cancellation_handler handler,
                                                              void *context) {
    (void)handler;
    (void)context;
    swift_task_removeCancellationHandler(record);
}

ROCKET_SWIFTCALL void rocket_task_local_push(const void *key, void *value, const void *type) {
    swift_task_localValuePush(key, value, type);
}

ROCKET_SWIFTCALL void rocket_task_local_pop(void) { swift_task_localValuePop(); }

ROCKET_SWIFTCALL void *rocket_task_local_address(const void *key) {
    return swift_task_localValueGet(key);
}
