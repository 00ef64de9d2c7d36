import RocketBase
import RocketReactor
import RocketSystem

// Deadlines of calls whose one request has not arrived: the RPC side knows only those that have.

/// When the deadlines of a connection's requests are looked at again. Bound to the loop.
struct RequestDeadlines {
    fileprivate var timer: ScheduledTimer?
    /// When the timer fires.
    fileprivate var due: MonotonicTime?

    func cancel() { timer?.cancel() }
}

extension GRPCServerConnection {
    /// Longer time-outs are those of the RPC side alone.
    private static let longestMilliseconds: Int64 = 86_400_000

    /// Ends the call with DEADLINE_EXCEEDED if its request has not arrived in time. One timer watches all
    /// requests of the connection, and is set only where none would fire early enough.
    func watchDeadline(of stream: ServerStream, milliseconds: Int64) {
        if milliseconds > Self.longestMilliseconds { return }
        let deadline = reactor.now + .milliseconds(milliseconds)
        stream.requestDeadline = deadline
        setTimer(for: deadline)
    }

    private func setTimer(for deadline: MonotonicTime) {
        if let due = requestDeadlines.due, due <= deadline { return }
        requestDeadlines.timer?.cancel()
        requestDeadlines.due = deadline
        requestDeadlines.timer = reactor.schedule(
            after: deadline - reactor.now, label: "gRPC requests"
        ) { [weak self] _ in self?.requestsAreLate() }
    }

    private func requestsAreLate() {
        requestDeadlines = RequestDeadlines()
        if session == nil { return }
        var next: MonotonicTime?
        for stream in unsafe streams.all where stream.isCollecting {
            guard let deadline = stream.requestDeadline else { continue }
            if deadline > reactor.now {
                next = min(next ?? deadline, deadline)
            } else {
                stream.connect?.endInput()
                let text = "the request has not arrived before its deadline"
                refuse(stream, WireFailure(.callTimeout, text))
            }
        }
        if let next { setTimer(for: next) }
        enrol()
    }
}
