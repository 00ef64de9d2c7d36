import Dispatch
import RocketReactor
import RocketSystem

/// Reads standard input on a thread of its own, one read per request, so that files, pipes and
/// terminals work alike and no unbounded buffer is needed. The thread may be blocked in a read when
/// the process ends.
final class InputThread: Sendable {
    private let loop: EventLoop
    private let read: @Sendable () throws(SystemError) -> [UInt8]
    private let requests = DispatchSemaphore(value: 0)
    private let receiver = Locked<(@Sendable ([UInt8]) -> Void)?>(nil)

    /// Starts the thread; it reads nothing before the first request.
    ///
    /// - Parameter read: blocks until there is input, and returns it.
    /// - Throws: `SystemError` (EAGAIN: no more threads).
    init(
        on loop: EventLoop,
        read: @escaping @Sendable () throws(SystemError) -> [UInt8] = { () throws(SystemError) in
            try StandardInput.read(atMost: 1 << 16)
        }
    ) throws(SystemError) {
        self.loop = loop
        self.read = read
        let thread = try SystemThread(name: "chat-input") { [self] in
            while readOnce() {}
        }
        thread.detach()
    }

    /// Sets the function that gets the bytes of each read, on the loop; an empty array is the end
    /// of the input or a read that failed, as in the background of a terminal. Further reads may
    /// be requested after it.
    func onInput(_ receive: @escaping @Sendable ([UInt8]) -> Void) {
        receiver.withLock { $0 = receive }
    }

    /// Requests one more read. The thread lives until the loop has ended. Any thread.
    func requestRead() { requests.signal() }

    private func readOnce() -> Bool {
        requests.wait()
        let bytes = (try? read()) ?? []
        let receive = receiver.withLock { $0 }
        return loop.execute { _ in receive?(bytes) }
    }
}
