import RocketBase
import RocketReactor
@_spi(Transport) import RocketRPC

/// The input that a session of HTTP/2 has not taken, because what it has taken had very large headers:
/// other connections of the loop have their turn before it. Bound to the loop; one per connection.
final class InputRest {
    private var timer: ScheduledTimer?
    /// The peer's input has ended behind it.
    private var isLast = false

    /// Lets `handler` receive the input again in another tick, and its end if that has come meanwhile.
    func comesLater(
        of transport: any Transport, to handler: any TransportHandler, on reactor: Reactor
    ) {
        if timer != nil { return }
        timer = reactor.schedule(after: .zero, label: "gRPC input") {
            [weak self, weak transport, weak handler] _ in
            guard let self, let transport, let handler else { return }
            timer = nil
            transport.readInput { if !$0.isEmpty { handler.received(transport, &$0) } }
            if isLast, timer == nil { handler.inputEnded(transport) }
        }
    }

    /// The input ends. Returns whether that has to wait, until the rest has been received.
    func delaysEnd() -> Bool {
        if timer != nil { isLast = true }
        return timer != nil
    }

    func cancel() {
        timer?.cancel()
        timer = nil
        isLast = false
    }
}
