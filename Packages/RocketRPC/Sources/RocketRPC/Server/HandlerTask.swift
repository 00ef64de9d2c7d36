import RocketReactor

/// A long-lived task that awaits handlers, and the call whose handler it awaits now. Bound to its
/// loop.
// SAFETY: the continuation is resumed once: `resume` takes it away first.
@safe final class HandlerTask {
    var task: Task<Void, Never>?
    let responder: CallResponder
    /// While it is parked.
    private var continuation: UnsafeContinuation<Void, Never>?
    // While its handler is suspended: its deadline, its index among the connection's suspended
    // calls, and the call's id.
    var deadline: TimerID?
    fileprivate var suspendedIndex: Int?
    fileprivate(set) var messageID: [UInt8] = []
    /// It takes no other call: its task was cancelled together with one, or is not needed.
    private(set) var isRetired = false

    init(_ responder: CallResponder) { self.responder = responder }

    /// Whether its handler is suspended.
    var isSuspended: Bool { suspendedIndex != nil }

    func park(_ continuation: UnsafeContinuation<Void, Never>) {
        unsafe self.continuation = continuation
    }

    func resume() {
        guard let waiting = unsafe continuation.take() else { return }
        unsafe waiting.resume()
    }

    /// Ends it, while it is parked.
    func retire() {
        isRetired = true
        resume()
    }

    /// Gives up the call whose handler is suspended: the task is cancelled.
    func cancelCall() {
        responder.abandon()
        isRetired = true
        task?.cancel()
    }
}

/// The calls of one connection whose handlers are suspended: all of them, and each by its msg_id.
/// Bound to the connection's loop.
struct SuspendedCalls {
    private(set) var tasks: [HandlerTask] = []
    /// Of several calls with one id the last.
    private var byID: [[UInt8]: HandlerTask] = [:]

    mutating func insert(_ task: HandlerTask, _ messageID: [UInt8]) {
        task.messageID = messageID
        task.suspendedIndex = tasks.count
        tasks.append(task)
        byID[task.messageID] = task
    }

    mutating func remove(_ task: HandlerTask) {
        guard let index = task.suspendedIndex else { return }
        task.suspendedIndex = nil
        let last = tasks.removeLast()
        if last !== task {
            tasks[index] = last
            last.suspendedIndex = index
        }
        if byID[task.messageID] === task { byID[task.messageID] = nil }
    }

    func find(_ messageID: [UInt8]) -> HandlerTask? { byID[messageID] }
}
