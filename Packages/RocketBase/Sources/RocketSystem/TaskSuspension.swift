/// Suspends the current task until the continuation that `body` is given is resumed, and hears of
/// the task's cancellation until then. All of it stays with the executor of the caller.
///
/// It does what `withTaskCancellationHandler` does around `withUnsafeContinuation`, in two thirds
/// of the instructions: those run their closures outside of every actor, and look the executor up,
/// under the task's lock, on each way out and back.
///
/// - Parameters:
///   - onCancel: runs on the thread that cancels the task; before `body` where it was cancelled
///     before. Not after this function has returned.
///   - body: runs at once. The continuation is to be resumed once.
@unsafe @inlinable @inline(__always)
public nonisolated(nonsending) func suspendTask(
    onCancel: @Sendable () -> Void, _ body: (UnsafeContinuation<Void, Never>) -> Void
) async {
    let record = unsafe hearCancellation(onCancel)
    // The one without this prefix changes to the executor that it is on, twice.
    await unsafe _unsafeInheritExecutor_withUnsafeContinuation(body)
    unsafe ignoreCancellation(record, onCancel)
}

// A closure is passed as its two words, as the runtime's own function takes it. It is not copied:
// that the second one is given it, too, keeps it until then.

@_silgen_name("rocket_task_hear_cancellation") @usableFromInline
func hearCancellation(_ heard: () -> Void) -> UnsafeRawPointer

@_silgen_name("rocket_task_ignore_cancellation") @usableFromInline
func ignoreCancellation(_ record: UnsafeRawPointer, _ heard: () -> Void)
