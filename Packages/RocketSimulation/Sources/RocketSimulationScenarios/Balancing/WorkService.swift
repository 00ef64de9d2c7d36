import RocketBase
import RocketReactor
import RocketRPC
import RocketSimulation
import RocketSystem
import SwiftProtobuf

/// How the servers of a scenario work. A value.
struct WorkBehaviour: Sendable {
    /// Calls that it works on at a time; further ones wait in their order.
    var workers = 1
    /// How long a call takes a worker, all durations of the range equally likely.
    var service = Duration.milliseconds(5)...Duration.milliseconds(15)
    /// How much slower it is at a time of the world.
    var slowness: @Sendable (Duration) -> Double = { _ in 1 }
    /// What it answers at once, without work, at a time of the world; nil: it works.
    var refusal: @Sendable (Duration) -> RPCErrorCode? = { _ in nil }
    /// As many calls of a process that has just started, with empty caches, take five times as long.
    var coldCalls = 0

    static let coldFactor = 5.0
}

/// The workers of one server, and the calls that it has had. Outlives its process.
///
/// A call takes its worker as long as its work lasts, and its handler runs as long, whether its caller
/// still waits or not: most handlers do not look.
final class WorkerQueue: Sendable {
    private struct State {
        var random: SeededGenerator
        var freeAt: [Duration]
        var started = 0
        var arrivals: [Duration] = []
    }

    private let behaviour: WorkBehaviour
    private let state: Locked<State>

    init(_ behaviour: WorkBehaviour, _ random: SeededGenerator) {
        self.behaviour = behaviour
        state = Locked(State(random: random, freeAt: []))
        restart()
    }

    /// When each call arrived.
    var arrivals: [Duration] { state.withLock { $0.arrivals } }

    /// The process has started again: with free workers and empty caches.
    func restart() {
        state.withLock {
            $0.freeAt = Array(repeating: .zero, count: behaviour.workers)
            $0.started = 0
        }
    }

    /// A call arrives.
    ///
    /// - Returns: how long it waits and takes.
    func begin(at now: Duration) throws(RPCError) -> Duration {
        let duration = state.withLock { state -> Duration? in
            state.arrivals.append(now)
            if behaviour.refusal(now) != nil { return nil }
            var factor = behaviour.slowness(now)
            if state.started < behaviour.coldCalls { factor *= WorkBehaviour.coldFactor }
            state.started += 1
            var worker = 0
            for other in state.freeAt.indices where state.freeAt[other] < state.freeAt[worker] {
                worker = other
            }
            state.freeAt[worker] =
                max(now, state.freeAt[worker])
                + state.random.duration(in: behaviour.service) * factor
            return state.freeAt[worker] - now
        }
        if let duration { return duration }
        throw RPCError(behaviour.refusal(now) ?? .internal, "the server refuses")
    }
}

/// Works for a while, then answers with the number of its server.
struct WorkService: RPCService {
    static var serviceName: String { "simulation.v1.Work" }
    static let work = RPCMethod<Payload, Payload>(service: serviceName, name: "work")

    let host: Host
    let queue: WorkerQueue
    let number: UInt8

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.work) { _, _ in
            let start = host.world.elapsed
            let duration = try queue.begin(at: start)
            let process = host.starts
            do {
                try await host.sleep(for: duration)
            } catch  where host.isRunning && host.starts == process {
                await finish(at: start + duration)
            }
            return .with { $0.value = .init([number]) }
        }
    }

    /// Works on, although the call is cancelled.
    private func finish(at end: Duration) async {
        let left = max(.zero, end - host.world.elapsed)
        await withCheckedContinuation { continuation in
            host.loop.schedule(after: left, label: "work") { _ in continuation.resume() }
        }
    }
}
