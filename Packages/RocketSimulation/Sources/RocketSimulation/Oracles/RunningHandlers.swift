import RocketSystem

/// The handlers that run for calls of a world. Bound to the world's thread.
final class RunningHandlers {
    private struct Handler {
        /// The number of its call.
        let number: Int
        let host: Host
        let process: UInt64?
        var isCancelled = false
    }

    private var handlers: [UInt64: Handler] = [:]
    private var began: UInt64 = 0

    /// - Returns: what the other functions are passed.
    func begin(_ number: Int, on host: Host) -> UInt64 {
        began += 1
        handlers[began] = Handler(number: number, host: host, process: host.process?.number)
        return began
    }

    func cancelled(_ handler: UInt64) { handlers[handler]?.isCancelled = true }

    func end(_ handler: UInt64) { handlers[handler] = nil }

    /// The handlers of living processes that nobody has cancelled, and the numbers of their calls.
    var uncancelled: [(number: Int, host: Host)] {
        handlers.sorted { $0.key < $1.key }.map(\.value)
            .filter { !$0.isCancelled && $0.host.process?.number == $0.process }
            .map { ($0.number, $0.host) }
    }

    /// Forgets all, which refer to their hosts.
    func forget() { handlers = [:] }
}

extension World {
    /// How long a handler may run when its caller has ended the call.
    private static let longestAbandoned = Duration.seconds(20)

    /// Checks that no handler runs for a call that its caller has ended. At the end of a world, when it
    /// has been quiet for as long.
    func checkAbandonedHandlers() {
        for (number, host) in history.handlers.uncancelled {
            guard let since = history.end(of: number),
                now - host.unpaused(since) > Self.longestAbandoned
            else { continue }
            return violated(
                .callEnds,
                "\(host.name): the handler of call \(number) runs and is not cancelled, though its "
                    + "caller has ended the call \(seconds(now - since)) s ago")
        }
    }
}
