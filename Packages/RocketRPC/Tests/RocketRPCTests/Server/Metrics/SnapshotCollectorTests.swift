import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// The reports of loops that the test drives, or does not drive.
@Suite("Collecting the reports of loops")
struct SnapshotCollectorTests {
    let clock = ManualTimeSource()

    /// Collects while `drive` runs loops again and again. The task runs on a loop of its own: a test that
    /// waits on a thread of the concurrency runtime could keep it from running.
    private func collect(
        _ collector: SnapshotCollector, from loops: [HandDrivenLoop], maxConnections: Int = 10,
        _ drive: () -> Void
    ) throws -> [LoopReport] {
        let result = Locked<[LoopReport]?>(nil)
        let handles = loops.map(\.loop)
        let own = try HandDrivenLoop(clock: clock)
        Task(executorPreference: own.loop) {
            let reports = await collector.collect(
                from: handles, within: .seconds(1), maxConnections: maxConnections)
            result.withLock { $0 = reports }
        }
        for _ in 0..<100 {
            own.tick()
            if let reports = result.withLock({ $0 }) { return reports }
            drive()
        }
        return try #require(result.withLock { $0 })
    }

    @Test("Each loop that runs answers, in the order of the loops")
    func answers() throws {
        let loops = try (0..<2).map { _ in try HandDrivenLoop(clock: clock) }
        let collector = SnapshotCollector(SchedulerRegistry())
        let reports = try collect(collector, from: loops) { for loop in loops { loop.tick() } }
        #expect(reports.count == 2 && !reports.contains { $0.loop.isStuck })
        #expect(reports[0].loop.name == "hand-driven" && reports[0].loop.handlerTasks == 0)
        #expect(try collect(collector, from: []) {}.isEmpty)
    }

    @Test("A loop that does not answer in time is stuck, and has its numbers of before")
    func stuck() throws {
        let (main, other) = (
            try HandDrivenLoop(clock: clock), try HandDrivenLoop(clock: clock)
        )
        let collector = SnapshotCollector(SchedulerRegistry())
        other.tick()
        let before = try collect(collector, from: [main, other]) {
            main.tick()
            other.tick()
        }[1].loop
        #expect(!before.isStuck)
        let reports = try collect(collector, from: [main, other]) {
            main.tick(after: .seconds(1))
        }
        #expect(!reports[0].loop.isStuck && reports[1].loop.isStuck)
        #expect(reports[1].loop.busy == before.busy && reports[1].loop.ticks >= before.ticks)
        other.tickUntilIdle()
        let after = try collect(collector, from: [main, other]) {
            main.tick()
            other.tick()
        }
        #expect(!after[1].loop.isStuck)
    }

    @Test("A loop that a callback has blocked for longer than the limit is not asked")
    func blocked() throws {
        let (main, other) = (
            try HandDrivenLoop(clock: clock), try HandDrivenLoop(clock: clock)
        )
        let collector = SnapshotCollector(SchedulerRegistry())
        let seen = Locked<[LoopReport]>([])
        other.reactor.schedule(after: .zero) { [self] _ in
            clock.advance(by: .seconds(5))
            let reports = try? collect(collector, from: [main, other]) { main.tick() }
            seen.withLock { $0 = reports ?? [] }
        }
        other.tick(after: .milliseconds(1))
        let reports = seen.withLock { $0 }
        #expect(reports.map(\.loop.isStuck) == [false, true])
        #expect(reports.last?.loop.stuckFor == .seconds(5))
    }

    @Test("A table without room for all connections has those with the most unsent bytes")
    func ranking() throws {
        try ServerScene.with([TestService()], connections: 5) { scene, clients in
            let kit = FrameKit()
            // The peers read nothing before the end of the test.
            for (index, client) in clients.enumerated() where index != 2 {
                for _ in 0...(4 - index) { client.send(try kit.frame(id: "1")) }
            }
            let report = LoopReport(
                on: scene.loop.reactor, scene.scheduler, maxConnections: 2)
            #expect(report.connections.map(\.id) == [1, 2])
            #expect(report.connectionsLeftOut == 3 && report.loop.connections == 5)
            let all = LoopReport(on: scene.loop.reactor, scene.scheduler, maxConnections: 5)
            #expect(all.connections.map(\.id) == [1, 2, 3, 4, 5])
            #expect(all.connectionsLeftOut == 0)
        }
    }

    @Test("A connection's row has its calls, its age and what its peer has proved")
    func connection() throws {
        let service = TestService()
        let identity = PeerIdentity.unix(
            PeerCredentials(processID: 7, userID: 1000, groupID: 100))
        try ServerScene.with([service], identity: identity) { scene, clients in
            try clients[0].call("test.v1.Test.hold", id: "1")
            scene.loop.tick(after: .seconds(3))
            let report = LoopReport(
                on: scene.loop.reactor, scene.scheduler, maxConnections: 10)
            let row = try #require(report.connections.first)
            #expect(row.callsInFlight == 1 && row.age == .seconds(3) && row.wire == "TinyPB")
            #expect(row.identity == "uid=1000 gid=100 pid=7" && !row.isEncrypted)
            #expect(report.mostCalls == 1 && report.loop.handlerTasks >= 1)
            service.gate.open()
            scene.loop.tickUntilIdle()
        }
    }

    @Test("The row of a silent connection costs no system call for its own address")
    func silent() throws {
        let identity = PeerIdentity.unix(
            PeerCredentials(processID: 7, userID: 1000, groupID: 100))
        try ServerScene.with([TestService()], connections: 0) { scene, _ in
            let settings = WireSettings(
                codec: scene.codec, methodKind: { _ in nil }, messageTypes: nil,
                streams: RPCStreamLimits(), logger: .disabled)
            let selection = WireSelection(WireSelector([], settings), scene.scheduler)
            let peer = ServerScene.Peer(identity)
            selection.connected(peer)
            let report = LoopReport(
                on: scene.loop.reactor, scene.scheduler, maxConnections: 10)
            let row = try #require(report.connections.first)
            #expect(row.phase == .silent && row.peer == peer.peerAddress)
            #expect(row.identity == "uid=1000 gid=100 pid=7")
            #expect(peer.ownAddressLooks == 0)
            selection.closed(peer, reason: .requested)
        }
    }
}
