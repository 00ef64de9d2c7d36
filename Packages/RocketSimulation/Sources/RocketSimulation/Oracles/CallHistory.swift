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
        let isIdempotent: Bool
        /// How often its channel sends it at most.
        let mostAttempts: Int
        /// The world's time.
        let deadline: MonotonicTime?
        var cancelledAt: MonotonicTime?
        var endCount = 0
        var runCount = 0
    }

    /// The metadata that carries the number of a call.
    static let key = "sim-call"

    weak var world: World?
    private var calls: [Call] = []

    /// - Returns: the number of the call.
    func began(_ call: Call) -> Int {
        calls.append(call)
        return calls.count - 1
    }

    /// - Parameter end: when the connection was closed on which it was sent last; nil: it is open.
    func ended(_ number: Int, code: RPCErrorCode, connectionEnd end: MonotonicTime?) {
        guard let world, calls.indices.contains(number) else { return }
        calls[number].endCount += 1
        let call = calls[number]
        guard call.process == call.host.process?.number else { return }
        world.record("call ended", UInt64(number), UInt64(bitPattern: Int64(code.rawValue))) {
            "\(call.host.name): call \(number) \(call.method) ended: "
                + (code.rawValue == 0 ? "ok" : "\(code)")
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
        if code == .cancelled, call.cancelledAt == nil {
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

    func handlerBegan(_ number: Int, on host: Host) {
        guard let world, calls.indices.contains(number) else { return }
        calls[number].runCount += 1
        let call = calls[number]
        world.record("handler", UInt64(number), host.index) {
            "\(host.name): handler of call \(number) \(call.method) begins"
        }
        if call.runCount > (call.isIdempotent ? call.mostAttempts : 1) {
            world.violated(
                .atMostOnce,
                "the handler of call \(number) \(call.method), which is "
                    + (call.isIdempotent ? "" : "not ")
                    + "idempotent, ran \(call.runCount) times")
        }
    }

    /// Whether the caller of that call lives, and waits for its end.
    func isWaiting(_ number: Int) -> Bool {
        guard calls.indices.contains(number) else { return false }
        let call = calls[number]
        return call.endCount == 0 && call.cancelledAt == nil
            && call.host.process?.number == call.process
    }

    /// Forgets all calls, which refer to their hosts.
    func forget() { calls = [] }

    /// The first call of a live process that has not ended.
    func firstOpen() -> (number: Int, call: Call)? {
        for (number, call) in calls.enumerated()
        where call.endCount == 0 && call.host.process?.number == call.process {
            return (number, call)
        }
        return nil
    }
}
