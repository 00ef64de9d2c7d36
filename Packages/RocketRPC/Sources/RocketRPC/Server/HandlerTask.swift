import RocketBase
import RocketReactor

/// A long-lived task that awaits handlers, and its current call. Bound to its loop.
// SAFETY: the continuation is resumed once: `resume` sets it to nil first. The address of the
// binding is used by the task only, between its push and its pop.
@safe final class HandlerTask {
    var task: Task<Void, Never>?
    let responder: CallResponder
    /// Set while the task is parked.
    private var continuation: UnsafeContinuation<Void, Never>?
    // Set while the handler is suspended: the deadline, the index among the connection's suspended
    // calls, and the call's id.
    var deadline: TimerID?
    fileprivate var suspendedIndex: Int?
    fileprivate(set) var messageID: [UInt8] = []
    /// What followed the last call, if its `serve` has ended it.
    var next: ServerConnection.Next?
    /// The value of `CallContext.current` in the task.
    private var binding: UnsafeMutablePointer<CallContext?>?
    /// Whether the task takes no further call: it was cancelled together with a call, or is unused.
    private(set) var isRetired = false

    init(_ responder: CallResponder) { self.responder = responder }

    /// Sets where the task's context is bound; nil: it is not bound any more.
    func bind(_ address: UnsafeMutablePointer<CallContext?>?) { unsafe binding = address }

    /// Binds the context of the call that has begun in place of the last one's.
    @inline(__always)
    func bindCall() {
        guard let binding = unsafe binding else { return }
        unsafe binding.pointee?.generation = responder.generation
    }

    /// Whether it takes further calls. A handler may have cancelled its own task. In the task.
    var takesCalls: Bool { !isRetired && !Task.isCancelled }

    /// Whether the handler is suspended.
    var isSuspended: Bool { suspendedIndex != nil }

    func park(_ continuation: UnsafeContinuation<Void, Never>) {
        unsafe self.continuation = continuation
    }

    func resume() {
        guard let waiting = unsafe continuation.take() else { return }
        unsafe waiting.resume()
    }

    /// Ends the parked task.
    func retire() {
        isRetired = true
        resume()
    }

    /// Cancels the call whose handler is suspended, and the task.
    func cancelCall() {
        responder.abandon()
        isRetired = true
        task?.cancel()
    }
}

/// The calls of one connection whose handlers are suspended, as a list and by msg_id.
/// Bound to the connection's loop.
struct SuspendedCalls {
    /// A msg_id that is hashed as a whole; an array hashes each of its bytes.
    private struct Key: Hashable {
        let id: [UInt8]

        func hash(into hasher: inout Hasher) {
            // SAFETY: the pointer does not escape the closure.
            unsafe id.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        }
    }

    private(set) var tasks: [HandlerTask] = []
    /// The last one if several calls have the same id.
    private var byID: [Key: HandlerTask] = [:]

    mutating func insert(_ task: HandlerTask, _ messageID: [UInt8]) {
        task.messageID = messageID
        task.suspendedIndex = tasks.count
        tasks.append(task)
        byID[Key(id: messageID)] = task
    }

    mutating func remove(_ task: HandlerTask) {
        guard let index = task.suspendedIndex else { return }
        task.suspendedIndex = nil
        let last = tasks.removeLast()
        if last !== task {
            tasks[index] = last
            last.suspendedIndex = index
        }
        if let index = byID.index(forKey: Key(id: task.messageID)), byID[index].value === task {
            byID.remove(at: index)
        }
    }

    func find(_ messageID: [UInt8]) -> HandlerTask? { byID[Key(id: messageID)] }
}
