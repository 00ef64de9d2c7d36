import RocketReactor

/// A long-lived async function that runs handlers, and the call that it runs now.
// SAFETY: the continuation is resumed once: `resume` takes it away first.
@safe final class HandlerTask {
    var task: Task<Void, Never>?
    var continuation: UnsafeContinuation<Void, Never>?
    let call: CallResponder
    // The rest is for the time while its handler is suspended: its place among the deadlines and
    // among its connection's calls, and the call's id.
    var deadline: TimerID?
    var waitingIndex: Int?
    var messageID: [UInt8] = []
    /// Its task was cancelled with a call: it takes no other one.
    private(set) var isRetired = false

    init(_ call: CallResponder) { self.call = call }

    func resume() {
        guard let waiting = unsafe continuation else { return }
        unsafe continuation = nil
        unsafe waiting.resume()
    }

    func cancelCall() {
        call.abandon()
        isRetired = true
        task?.cancel()
    }
}
