import Dispatch
import RocketReactor
import RocketSystem

/// Reads standard input on a thread of its own, a piece at a time and only when asked for: so a
/// file, a pipe and a terminal are all the same, and nobody's memory fills. The thread may stay
/// in a read when the process ends.
final class InputThread: Sendable {
    private let loop: EventLoop
    private let wanted = DispatchSemaphore(value: 0)
    private let receiver = Locked<(@Sendable ([UInt8]) -> Void)?>(nil)

    /// Starts the thread; it reads nothing before it is asked.
    ///
    /// - Throws: `SystemError` (EAGAIN: no more threads).
    init(on loop: EventLoop) throws(SystemError) {
        self.loop = loop
        let thread = try SystemThread(name: "chat-input") { [self] in
            while readOnce() {}
        }
        thread.detach()
    }

    /// Who gets what is read, on the loop; nothing at the end of the input, once.
    func onInput(_ receive: @escaping @Sendable ([UInt8]) -> Void) {
        receiver.withLock { $0 = receive }
    }

    /// One more piece is wanted. Any thread.
    func ask() { wanted.signal() }

    private func readOnce() -> Bool {
        wanted.wait()
        // A terminal that is gone is the end of the input, too.
        let bytes = (try? StandardInput.read(atMost: 1 << 16)) ?? []
        let receive = receiver.withLock { $0 }
        return loop.execute { _ in receive?(bytes) } && !bytes.isEmpty
    }
}
