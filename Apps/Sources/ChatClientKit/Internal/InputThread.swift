import Dispatch
import RocketReactor
import RocketSystem

/// Reads standard input on a thread of its own, a piece at a time and only when asked for: so a
/// file, a pipe and a terminal are all the same, and nobody's memory fills. The thread may stay
/// in a read when the process ends.
final class InputThread: Sendable {
    private let wanted = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - receive: gets what was read on `loop`; nothing at the end of the input, once.
    /// - Throws: `SystemError` (EAGAIN: no more threads).
    init(on loop: EventLoop, _ receive: @escaping @Sendable ([UInt8]) -> Void) throws(SystemError) {
        let wanted = wanted
        let thread = try SystemThread(name: "chat-input") {
            while true {
                wanted.wait()
                // A terminal that is gone is the end of the input, too.
                let bytes = (try? StandardInput.read(atMost: 1 << 16)) ?? []
                guard loop.execute({ _ in receive(bytes) }), !bytes.isEmpty else { return }
            }
        }
        thread.detach()
    }

    /// One more piece is wanted. Any thread.
    func ask() { wanted.signal() }
}
