import RocketBase
import RocketRPC
import RocketSystem

// SAFETY: confined to the world's thread: calls are made and served on loops of hosts, and `World`
// checks the thread.

/// The calls of a world: how each began and ended at its caller, and how often its handler ran.
///
/// A channel of a host gives each call a number in its metadata (`sim-call`), which the servers of
/// hosts recognise.
final class CallHistory: @unchecked Sendable {
    struct Call {
        let host: Host
        let process: UInt64
        let method: String
        /// Whether it has a stream of messages.
        var isStream = false
        let isIdempotent: Bool
        /// How often its channel sends it at most.
        let mostAttempts: Int
        /// The world's time.
        let beganAt: MonotonicTime
        /// The world's time.
        let deadline: MonotonicTime?
        var cancelledAt: MonotonicTime?
        /// The world's time.
        var endedAt: MonotonicTime?
        var endCount = 0
        var runCount = 0
    }

    /// The metadata that carries the number of a call.
    static let key = "sim-call"

    weak var world: World?
    let handlers = RunningHandlers()
    private var calls: [Call] = []
    /// Calls of one host at one time.
    private var burst: (host: Host?, time: MonotonicTime, count: Int) = (nil, VirtualTime.start, 0)
    private static let longestBurst = 20_000

    /// - Returns: the number of the call.
    func began(_ call: Call) -> Int {
        calls.append(call)
        let number = calls.count - 1
        world?.record("call", UInt64(number), call.host.index) {
            "\(call.host.name): call \(number) \(call.method) begins"
        }
        return number
    }

    /// Counts a call that begins.
    ///
    /// - Returns: whether the host has made more calls at this time than something that ends would.
    func countCall(of host: Host) -> Bool {
        guard let world else { return false }
        if burst.host !== host || burst.time != world.now { burst = (host, world.now, 0) }
        burst.count += 1
        return burst.count > Self.longestBurst
    }

    /// - Parameter end: when the connection was closed on which it was sent last; nil: it is open.
    func ended(_ number: Int, code: RPCErrorCode, connectionEnd end: MonotonicTime?) {
        guard let world, calls.indices.contains(number) else { return }
        calls[number].endCount += 1
        calls[number].endedAt = world.now
        let call = calls[number]
        guard call.process == call.host.process?.number else { return }
        world.record("call ended", UInt64(number), UInt64(bitPattern: Int64(code.rawValue))) {
            "\(call.host.name): call \(number) \(call.method) ended: "
                + (code.rawValue == 0 ? "ok" : code.name)
        }
        world.count {
            $0.calls += 1
            if code.rawValue == 0 { $0.succeeded += 1 }
        }
        if call.endCount > 1 {
            world.violated(.callEnds, "call \(number) \(call.method) ended twice")
        }
        if code.rawValue == 0, call.runCount == 0 {
            world.violated(
                .reply, "call \(number) \(call.method) has a response, but no handler ran for it")
        }
        if let deadline = call.deadline { checkDeadline(call, number, deadline, world) }
        if code == .cancelled, call.cancelledAt == nil, !call.isStream {
            world.violated(
                .callEnds, "call \(number) \(call.method) ended as cancelled, but was not cancelled"
            )
        }
        checkPromptness(call, number, "cancellation", call.cancelledAt, world)
        // A call that may be sent again waits for that.
        if call.runCount > 0, !call.isIdempotent {
            checkPromptness(call, number, "connection", end, world)
        }
    }

    private func checkPromptness(
        _ call: Call, _ number: Int, _ cause: String, _ time: MonotonicTime?, _ world: World
    ) {
        guard let time, world.now > call.host.unpaused(time) + Self.tolerance else { return }
        world.violated(
            .callEnds,
            "call \(number) \(call.method) ended \(seconds(world.now - time)) s after its \(cause)")
    }

    /// The task of the caller is cancelled.
    func cancelled(_ number: Int) {
        guard let world, calls.indices.contains(number), calls[number].cancelledAt == nil else {
            return
        }
        calls[number].cancelledAt = world.now
    }

    /// Deadlines fire at the tick that follows them, which may be late by the delay of a scheduler,
    /// and by a pause of the host.
    private func checkDeadline(
        _ call: Call, _ number: Int, _ deadline: MonotonicTime, _ world: World
    ) {
        let allowed = call.host.unpaused(deadline) + Self.tolerance
        if world.now > allowed {
            world.violated(
                .deadline,
                "call \(number) \(call.method) ended \(seconds(world.now - deadline)) s after its "
                    + "deadline")
        }
    }

    /// A tick, and the round of tasks that resumes the caller.
    private static let tolerance = Duration.milliseconds(1)

    /// - Parameter deadline: the one that the server knows.
    func handlerBegan(_ number: Int, on host: Host, deadline: MonotonicTime?) {
        guard let world, calls.indices.contains(number) else { return }
        calls[number].runCount += 1
        let call = calls[number]
        world.record("handler", UInt64(number), host.index) {
            "\(host.name): handler of call \(number) \(call.method) begins"
        }
        checkPropagation(call, number, deadline, world)
        if call.runCount > (call.isIdempotent ? call.mostAttempts : 1) {
            world.violated(
                .atMostOnce,
                "the handler of call \(number) \(call.method), which is "
                    + (call.isIdempotent ? "" : "not ")
                    + "idempotent, ran \(call.runCount) times")
        }
    }

    /// A server knows its caller's deadline as the time that was left when the call was sent: it is
    /// later there by the time under way, and rounded to milliseconds.
    private func checkPropagation(
        _ call: Call, _ number: Int, _ deadline: MonotonicTime?, _ world: World
    ) {
        guard let own = call.deadline else { return }
        let latest = own + (world.now - call.beganAt) + Self.tolerance
        if deadline.map({ $0 > latest }) ?? true {
            world.violated(
                .deadline,
                "call \(number) \(call.method) began at its server "
                    + (deadline.map { "with a deadline \(seconds($0 - own)) s later than its own" }
                        ?? "without its deadline"))
        }
    }

    /// Whether the caller of that call lives, and waits for its end.
    func isWaiting(_ number: Int) -> Bool {
        guard calls.indices.contains(number) else { return false }
        let call = calls[number]
        return call.endCount == 0 && call.cancelledAt == nil
            && call.host.process?.number == call.process
    }

    /// When the caller of that call, which lives, has ended or cancelled it; nil: it has not.
    func end(of number: Int) -> MonotonicTime? {
        guard calls.indices.contains(number) else { return nil }
        let call = calls[number]
        guard call.host.process?.number == call.process else { return nil }
        return call.endedAt ?? call.cancelledAt
    }

    /// Forgets all calls, which refer to their hosts.
    func forget() {
        calls = []
        handlers.forget()
        burst.host = nil
    }

    /// The first call of a process that has not ended.
    func firstOpen(of process: HostProcess) -> (number: Int, call: Call)? {
        for (number, call) in calls.enumerated()
        where call.endCount == 0 && call.host === process.host && call.process == process.number {
            return (number, call)
        }
        return nil
    }
}
