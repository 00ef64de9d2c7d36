import RocketBase
import RocketReactorTestKit
import RocketSystem
import SwiftProtobuf
import Synchronization
import Testing

@testable import RocketRPC

/// Deadlines on a manual clock and a manually driven loop.
@Suite("Deadlines")
struct DeadlineTests {
    let kit = FrameKit()
    let service = TestService()

    func withServer(
        limits: RPCCallLimits = RPCCallLimits(),
        _ body: (HandDrivenLoop, DrivenServer.Caller) throws -> Void
    ) throws {
        try DrivenServer.with(limits: limits) { _ in
            service
        } _: { server, service in
            try body(server.loop, server.caller)
            service.gate.open()
        }
    }

    @Test("A deadline is answered when it expires, and not before")
    func expiryTime() throws {
        try withServer { loop, caller in
            caller.send(
                try kit.frame(id: "1", "test.v1.Test.never", info: "rkm1\ntimeout-ms=100\n"))
            loop.tickUntilIdle()
            #expect(service.gate.arrivalCount == 1)
            loop.tick(after: .milliseconds(99))
            loop.tickUntilIdle()
            #expect(caller.bytes.isEmpty)
            loop.tick(after: .milliseconds(1))
            loop.tickUntilIdle()
            let answer = try kit.parse(caller.bytes)
            #expect(answer.code == .callTimeout)
            #expect(answer.info == "the deadline passed while the handler ran")
            #expect(service.gate.cancelled.withLock { $0 } == 1)
        }
    }

    @Test("The server's time limit applies to calls without a deadline")
    func serverLimit() throws {
        var limits = RPCCallLimits()
        limits.defaults.timeout = .milliseconds(50)
        try withServer(limits: limits) { loop, caller in
            caller.send(try kit.frame(id: "1", "test.v1.Test.never"))
            loop.tickUntilIdle()
            loop.tick(after: .milliseconds(49))
            loop.tickUntilIdle()
            #expect(caller.bytes.isEmpty)
            loop.tick(after: .milliseconds(1))
            loop.tickUntilIdle()
            #expect(
                try kit.parse(caller.bytes).info
                    == "the handler ran for longer than the server lets it")
        }
    }

    @Test("The default time limit is 5 minutes")
    func defaultLimit() throws {
        try withServer { loop, caller in
            caller.send(try kit.frame(id: "1", "test.v1.Test.never"))
            loop.tickUntilIdle()
            loop.tick(after: .seconds(299))
            loop.tickUntilIdle()
            #expect(caller.bytes.isEmpty)
            loop.tick(after: .seconds(1))
            loop.tickUntilIdle()
            #expect(try kit.parse(caller.bytes).code == .callTimeout)
        }
    }

    @Test("Deadlines expire in the order of their times")
    func expiryOrder() throws {
        try withServer { loop, caller in
            for (id, left) in [("late", 30), ("early", 10), ("middle", 20)] {
                let number = Number(1)
                caller.send(
                    try kit.frame(
                        id: id, "test.v1.Test.hold", info: "rkm1\ntimeout-ms=\(left)\n",
                        payload: number.serializedBytes()))
            }
            loop.tickUntilIdle()
            for _ in 0..<3 {
                loop.tick(after: .milliseconds(10))
                loop.tickUntilIdle()
            }
            #expect(try kit.parseAll(caller.bytes).map(\.id) == ["early", "middle", "late"])
        }
    }

    @Test("Where both deadlines pass at once, the caller's is the one that is named")
    func sameTime() {
        let now = MonotonicTime(nanoseconds: 1_000_000_000)
        let deadline = CallDeadline(timeoutMilliseconds: 100, own: 100_000_000, now: now)
        #expect(deadline.time == MonotonicTime(nanoseconds: 1_100_000_000))
        #expect(!deadline.isOwn)
        #expect(deadline.failure.message == "the deadline passed while the handler ran")
    }

    @Test("A cancelled call whose handler goes on does not count as timed out")
    func cancelledBefore() throws {
        try ServerScene.with([service]) { scene, clients in
            try clients[0].call(
                "test.v1.Test.hold", id: "1", info: "rkm1\ntimeout-ms=100\n",
                payload: Number(1).serializedBytes())
            try clients[0].call("rocket.cancel", id: "1")
            scene.loop.tick(after: .seconds(1))
            scene.loop.tickUntilIdle()
            let statistics = clients[0].connection.dispatcher.statistics
            #expect(statistics.cancelledCalls == 1 && statistics.timedOutCalls == 0)
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try clients[0].answers().isEmpty)
        }
    }

    @Test("A call that is answered in time leaves no deadline")
    func answeredInTime() throws {
        try withServer { loop, caller in
            let number = Number(1)
            caller.send(
                try kit.frame(
                    id: "1", "test.v1.Test.hold", info: "rkm1\ntimeout-ms=100\n",
                    payload: number.serializedBytes()))
            loop.tickUntilIdle()
            service.gate.open()
            loop.tickUntilIdle()
            #expect(try kit.parse(caller.bytes).code.rawValue == 0)
            loop.tick(after: .seconds(1))
            loop.tickUntilIdle()
            #expect(try kit.parseAll(caller.bytes).count == 1)
        }
    }
}
