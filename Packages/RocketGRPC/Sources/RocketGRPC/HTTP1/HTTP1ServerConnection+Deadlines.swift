import RocketBase
import RocketReactor
@_spi(Transport) import RocketRPC
import RocketSystem
import RocketTCP

/// The time limits of a connection of HTTP/1.1: until when the next request, or the rest of one, has to
/// come. Bound to the loop.
struct HTTP1Deadline {
    enum Phase: Hashable {
        /// Between two requests.
        case idle
        /// A request is being received.
        case receiving
        /// A request is being answered: its call has limits of its own.
        case answering
    }

    fileprivate var phase: Phase?
    /// Of which request, by its number.
    fileprivate var request = 0
    fileprivate var at = MonotonicTime.distantFuture
    fileprivate var timer: ScheduledTimer?
    /// When the timer fires: it is not set anew for each request.
    fileprivate var due = MonotonicTime.distantFuture

    mutating func cancel() {
        timer?.cancel()
        timer = nil
    }
}

extension HTTP1ServerConnection {
    /// Sets the limit that applies from now on.
    func watchTime() {
        if transport == nil || closing != nil { return }
        let phase: HTTP1Deadline.Phase
        if let exchange {
            phase = exchange.isReceived ? .answering : .receiving
        } else {
            phase = parser.isIdle ? .idle : .receiving
        }
        let request = exchange == nil ? requests + 1 : requests
        if phase != deadline.phase || request != deadline.request {
            deadline.phase = phase
            deadline.request = request
            switch phase {
            case .idle: deadline.at = reactor.now + http.idleTimeout
            case .receiving: deadline.at = reactor.now + http.requestTimeout
            case .answering: deadline.at = .distantFuture
            }
        }
        let earliest = min(deadline.at, bodyDeadline)
        if earliest >= deadline.due { return }
        deadline.cancel()
        deadline.due = earliest
        deadline.timer = reactor.schedule(at: earliest, label: "HTTP request") { [weak self] _ in
            self?.checkTime()
        }
    }

    /// The client's own limit for the body that is being received.
    private var bodyDeadline: MonotonicTime {
        guard let exchange, !exchange.isReceived else { return .distantFuture }
        return exchange.deadline ?? .distantFuture
    }

    private func checkTime() {
        deadline.timer = nil
        deadline.due = .distantFuture
        if transport == nil || closing != nil { return }
        if bodyDeadline <= reactor.now, let exchange {
            let text = "the request has not arrived before its deadline"
            exchange.call.endInput()
            refuse(exchange, WireFailure(.callTimeout, text))
        } else if deadline.at <= reactor.now {
            if deadline.phase == .idle { transport?.close(.afterFlush, reason: .idleTimeout) }
            if deadline.phase == .receiving {
                fail(HTTP1Fault(408, "the request has not arrived in time"))
            }
        }
        watchTime()
    }
}
