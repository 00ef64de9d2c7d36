import RocketBase
import RocketRPC
import RocketSimulation
import RocketSimulationScenarios
import RocketSystem
import SwiftProtobuf
import Testing

@Suite struct CancellationTests {
    /// How a call has ended. Any thread.
    private final class Ending: Sendable {
        private let result = Locked<Result<Payload, any Error>?>(nil)
        var hasEnded: Bool { result.withLock { $0 != nil } }
        var error: RPCError? {
            guard case .failure(let error)? = result.withLock({ $0 }) else { return nil }
            return error as? RPCError
        }
        var reply: Payload? { try? result.withLock { $0 }?.get() }
        func set(_ new: Result<Payload, any Error>) { result.withLock { $0 = new } }
    }

    /// What became of a call that was cancelled after so many events of its world.
    private struct Outcome {
        /// Whether the call had ended before.
        let wasTooLate: Bool
        let error: RPCError?
    }

    private func cancel(_ method: RPCMethod<Payload, Payload>, after events: Int) throws -> Outcome
    {
        let world = World(seed: 7)
        let server = try world.host("server") { host in
            try host.serve([EchoService(host: host)], port: 80)
        }
        let client = try world.host("client")
        let channel = try client.channel(to: server, port: 80)
        let gate = AsyncEvent()
        let ending = Ending()
        client.run {
            await withTaskGroup { group in
                group.addTask {
                    do {
                        ending.set(
                            .success(
                                try await channel.call(method, .with { $0.value = .init([5]) })))
                    } catch { ending.set(.failure(error)) }
                }
                await gate.wait()
                group.cancelAll()
            }
        }
        var count = 0
        try world.run(atMost: .seconds(10)) {
            count += 1
            return count > events || ending.hasEnded
        }
        let wasTooLate = ending.hasEnded
        gate.fire()
        try world.run(atMost: .seconds(1)) { ending.hasEnded }
        // A late reply goes to nobody: the next call gets its own.
        let next = Ending()
        client.run {
            next.set(.success(try await channel.call(method, .with { $0.value = .init([6]) })))
        }
        try world.run(for: .seconds(5))
        #expect(next.reply?.value == .init([6]))
        try world.close()
        return Outcome(wasTooLate: wasTooLate, error: ending.error)
    }

    @Test(
        "A call can be cancelled at each of its events, and ends once",
        arguments: [EchoService.echo, EchoService.now, EchoService.later])
    func atEachEvent(method: RPCMethod<Payload, Payload>) throws {
        var cancelled = 0
        for events in 0... {
            let outcome = try cancel(method, after: events)
            if outcome.wasTooLate { break }
            #expect(outcome.error == nil || outcome.error?.code == .cancelled)
            if outcome.error != nil { cancelled += 1 }
        }
        // Before and after the connect, while the request is under way, while the handler runs, and
        // while the reply is under way.
        #expect(cancelled >= 10)
    }
}
