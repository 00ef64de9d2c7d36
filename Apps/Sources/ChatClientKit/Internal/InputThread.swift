import Dispatch
import RocketReactor
import RocketSystem

/// Reads standard input on a thread of its own, one read per request, so that files, pipes and
/// terminals work alike and no unbounded buffer is needed. The thread may be blocked in a read when
/// the process ends.
final class InputThread: Sendable {
    private let loop: EventLoop
    private let requests = DispatchSemaphore(value: 0)
    private let receiver = Locked<(@Sendable ([UInt8]) -> Void)?>(nil)

    /// Starts the thread; it reads nothing before the first request.
    ///
    /// - Throws: `SystemError` (EAGAIN: no more threads).
    init(on loop: EventLoop) throws(SystemError) {
        self.loop = loop
        let thread = try SystemThread(name: "chat-input") { [self] in
            while readOnce() {}
        }
        thread.detach()
    }

    /// Sets the function that gets the bytes of each read, on the loop; an empty array is the end
    /// of the input, once.
    func onInput(_ receive: @escaping @Sendable ([UInt8]) -> Void) {
        receiver.withLock { $0 = receive }
    }

    /// Requests one more read. Any thread.
    func requestRead() { requests.signal() }

    private func readOnce() -> Bool {
        requests.wait()
        // A failed read, as of a terminal that was closed, is the end of the input.
        let bytes = (try? StandardInput.read(atMost: 1 << 16)) ?? []
        let receive = receiver.withLock { $0 }
        return loop.execute { _ in receive?(bytes) } && !bytes.isEmpty
    }
}
