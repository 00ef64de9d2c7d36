// The one place for functions of Swift's runtime that are not public API: see SAFETY.md. The
// condition below is the check of the toolchain: these functions were read and measured in the
// version that it names. Any other version gets the public API.

#if compiler(>=6.3.1) && compiler(<6.3.2) && !ROCKET_PUBLIC_RUNTIME

/// Suspends the current task until the continuation that `body` receives is resumed, and
/// observes the task's cancellation until then. All of it stays with the executor of the
/// caller.
///
/// It does what `withTaskCancellationHandler` does around `withUnsafeContinuation`, in two
/// thirds of the instructions: these run their closures outside of every actor, and look the
/// executor up, under the task's lock, on each way out and back.
///
/// - Parameters:
///   - onCancel: runs on the thread that cancels the task; before `body` where it was cancelled
///     before. Not after this function has returned.
///   - body: runs at once. The continuation must be resumed exactly once.
@unsafe @inlinable @inline(__always)
public nonisolated(nonsending) func suspendTask(
    onCancel: @Sendable () -> Void, _ body: (UnsafeContinuation<Void, Never>) -> Void
) async {
    let record = unsafe addCancellationHandler(onCancel)
    // The one without this prefix changes to the executor that it is on, twice.
    await unsafe _unsafeInheritExecutor_withUnsafeContinuation(body)
    unsafe removeCancellationHandler(record, onCancel)
}

// A closure is passed as its two words, as the runtime's own function takes it. It is not
// copied: passing it to the second function, too, keeps it alive until then.

@_silgen_name("rocket_task_add_cancellation_handler") @usableFromInline
func addCancellationHandler(_ handler: () -> Void) -> UnsafeRawPointer

@_silgen_name("rocket_task_remove_cancellation_handler") @usableFromInline
func removeCancellationHandler(_ record: UnsafeRawPointer, _ handler: () -> Void)

/// Binds task-local values of the current task without a closure. `withValue` takes a closure
/// that runs outside of every actor: two changes of executor for each binding in an actor.
public enum TaskLocalBinding {
    /// Whether `push` and `pop` can be used.
    public static var isAvailable: Bool { true }

    /// Binds `value` until the matching `pop`, which the same function has to call, in the same
    /// task: bindings are a stack in the task's own memory.
    @unsafe @inlinable @inline(__always)
    public static func push<Value>(_ local: TaskLocal<Value>, _ value: consuming Value) {
        unsafe pushTaskLocal(unsafeBitCast(local, to: UnsafeRawPointer.self), value)
    }

    /// Undoes the newest binding.
    @unsafe @inlinable @inline(__always)
    public static func pop() { popTaskLocal() }

    /// Returns the address of the value of the newest binding of `local`: writing to it binds
    /// another value in place of that one, for the task itself and for child tasks that it starts
    /// from then on. Tasks that exist keep what they have copied.
    ///
    /// Call it directly after `push`. Valid until the matching `pop`; to be used in the same task
    /// only, while it has no child task of `async let` or of a task group.
    @unsafe @inlinable @inline(__always)
    public static func address<Value>(of local: TaskLocal<Value>) -> UnsafeMutablePointer<Value>? {
        unsafe taskLocalAddress(unsafeBitCast(local, to: UnsafeRawPointer.self))?
            .assumingMemoryBound(to: Value.self)
    }
}

// A generic value is passed as its address and its type, as the runtime's own function takes
// it.

@_silgen_name("rocket_task_local_push") @usableFromInline
func pushTaskLocal<Value>(_ key: UnsafeRawPointer, _ value: __owned Value)

@_silgen_name("rocket_task_local_pop") @usableFromInline
func popTaskLocal()

@_silgen_name("rocket_task_local_address") @usableFromInline
func taskLocalAddress(_ key: UnsafeRawPointer) -> UnsafeMutableRawPointer?

#else

/// Suspends the current task until the continuation that `body` receives is resumed, and
/// observes the task's cancellation until then.
///
/// - Parameters:
///   - onCancel: runs on the thread that cancels the task; before `body` where it was cancelled
///     before. Not after this function has returned.
///   - body: runs at once. The continuation must be resumed exactly once.
@unsafe @inlinable
public nonisolated(nonsending) func suspendTask(
    onCancel: @Sendable () -> Void, _ body: (UnsafeContinuation<Void, Never>) -> Void
) async {
    // SAFETY: it runs within this call, while its caller waits.
    nonisolated(unsafe) let body = unsafe body
    await withoutActuallyEscaping(onCancel) { onCancel in
        await withTaskCancellationHandler {
            await unsafe withUnsafeContinuation(body)
        } onCancel: {
            onCancel()
        }
    }
}

/// Binding task-local values without a closure takes functions that are not public API.
public enum TaskLocalBinding {
    /// Whether `push` and `pop` can be used.
    public static var isAvailable: Bool { false }

    /// Not available.
    @unsafe
    public static func push<Value>(_ local: TaskLocal<Value>, _ value: consuming Value) {
        preconditionFailure("TaskLocalBinding.push without isAvailable")
    }

    /// Not available.
    @unsafe
    public static func pop() {
        preconditionFailure("TaskLocalBinding.pop without isAvailable")
    }

    /// Not available.
    @unsafe
    public static func address<Value>(of local: TaskLocal<Value>) -> UnsafeMutablePointer<Value>? {
        preconditionFailure("TaskLocalBinding.address without isAvailable")
    }
}

#endif
