import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// Where the time of a call goes whose peer reads slowly, and which calls are kept besides.
@Suite("Stages of calls, and what is kept of them")
struct CallStagesTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"

    private func traceParent(_ flags: String, trace: String = trace) -> String {
        "traceparent=00-\(trace)-b7ad6b7169203331-\(flags)\n"
    }

    private func settings(sample: Int = 0) -> ServerMetrics.Settings {
        var settings = ServerMetrics.Settings()
        settings.callsPerSample = sample
        return settings
    }

    @Test("A reply that waits for room in the output is no handler's time")
    func outputWait() throws {
        try BackPressureTests.with(metrics: settings()) { scene in
            scene.transport.room = 100
            try scene.send("wait", 0..<1)
            scene.loop.tick(after: .seconds(1))
            try scene.fill()
            scene.service.gate.open()
            scene.loop.tickUntilIdle()
            scene.loop.tick(after: .seconds(3))
            #expect(try scene.answers().map(\.id) == [])
            scene.loop.tickUntilIdle()
            let call = try #require(try scene.kept().first { $0.reason == .slow })
            #expect(call.handler == .seconds(1) && call.outputWait == .seconds(3))
            #expect(call.duration == .seconds(4))
        }
    }

    @Test("What a handler says that it has waited for its peer is no handler's time")
    func handlersWait() throws {
        try BackPressureTests.with(metrics: settings()) { scene in
            scene.transport.room = 100
            try scene.send("page", 0..<1)
            scene.loop.tick(after: .seconds(3))
            scene.service.gate.open()
            scene.loop.tickUntilIdle()
            var call = try #require(try scene.kept().first)
            #expect(call.handler == .seconds(1) && call.outputWait == .seconds(2))
            #expect(call.duration == .seconds(3))
            // The next call of the same task begins anew, and a wait is at most the handler's time.
            try scene.send("wait", 1..<2)
            try scene.send("page", 2..<3)
            #expect(try scene.kept().count == 1)
            try scene.send("page", 3..<4, info: "rkm1\n\(traceParent("01"))")
            call = try #require(try scene.kept().first { $0.reason == .traced })
            #expect(call.handler == .zero && call.outputWait == nil)
        }
    }

    @Test("A reply that waits for the kernel shows so, and later how long it took")
    func flush() throws {
        try BackPressureTests.with(metrics: settings(sample: 1)) { scene in
            scene.transport.room = 100
            try scene.send("async", 0..<1)
            scene.loop.tick(after: .seconds(2))
            var call = try #require(try scene.kept().first)
            #expect(call.awaitsFlush && call.flush == .seconds(2))
            scene.loop.tick(after: .seconds(1))
            _ = try scene.answers()
            scene.loop.tick(after: .milliseconds(20))
            call = try #require(try scene.kept().first)
            #expect(!call.awaitsFlush && call.flush == .milliseconds(3_020))
        }
    }

    @Test("A reply whose connection is closed before it was sent has no time of its flush")
    func lostReply() throws {
        try BackPressureTests.with(metrics: settings(sample: 1)) { scene in
            scene.transport.room = 100
            try scene.send("async", 0..<1)
            scene.loop.tick(after: .seconds(2))
            scene.connection.closed(scene.transport, reason: .peerReset)
            let call = try #require(try scene.kept().first)
            #expect(!call.awaitsFlush && call.flush == nil)
        }
    }

    @Test("The waits of a stream's writer are no handler's time, and the last one neither")
    func streamWaits() throws {
        let wire = StreamScene()
        try wire.with(metrics: settings()) { scene, client in
            // Without credit the handler's first message waits after the handler's end.
            client.send(
                try wire.open(
                    "count", kind: "s", window: "0", wire.number(1), more: traceParent("01")))
            scene.loop.tick(after: .seconds(2))
            client.send(try wire.window(1))
            scene.loop.tick(after: .seconds(3))
            client.send(try wire.window(1_000))
            let call = try #require(scene.scheduler.metrics?.keptCalls.first).described(
                WallTime(nanoseconds: 0), scene.loop.reactor.now)
            #expect(call.handler == .zero && call.outputWait == .seconds(5))
            #expect(call.reason == .traced)
        }
    }

    @Test(
        "Each call whose caller records its trace is kept with its stages, and displaces no other")
    func traced() throws {
        let (service, kit) = (TestService(), FrameKit())
        try ServerScene.with([service], metrics: settings()) { scene, clients in
            let client = clients[0]
            try client.call("test.v1.Test.fail", id: "f", payload: kit.text("rpc"))
            try client.call(
                id: "no", info: "rkm1\n\(traceParent("00"))", payload: kit.text("x"))
            for number in 0..<300 {
                let trace = String(repeating: "a", count: 29) + "\(100 + number)"
                try client.call(
                    id: "\(number)", info: "rkm1\n\(traceParent("01", trace: trace))",
                    payload: kit.text("x"))
            }
            let calls = try #require(scene.scheduler.metrics).keptCalls
            #expect(calls.count { $0.reason == .traced } == KeptCalls.tracedCapacity)
            #expect(calls.count { $0.reason == .failed } == 1 && calls.count == 257)
            let newest = calls.filter { $0.reason == .traced }.compactMap(\.trace.text)
            #expect(Set(newest).count == 256 && newest.contains { $0.hasSuffix("a399") })
            #expect(calls.allSatisfy { $0.reason != .traced || $0.measured.handledAt > 0 })
        }
    }

    @Test("A traced call that fails is kept as failed, however many others fail")
    func tracedFailure() throws {
        let (service, kit) = (TestService(), FrameKit())
        try ServerScene.with([service], metrics: settings()) { scene, clients in
            let name = "test.v1.Test.fail"
            for number in 0..<20 {
                try clients[0].call(name, id: "\(number)", payload: kit.text("rpc"))
            }
            try clients[0].call(
                name, id: "t", info: "rkm1\n\(traceParent("01"))", payload: kit.text("rpc"))
            let calls = try #require(scene.scheduler.metrics).keptCalls
            #expect(calls.count == 11 && calls.allSatisfy { $0.reason == .failed })
            #expect(calls.allSatisfy { $0.error == "not you" })
            #expect(calls.count { $0.trace.text == Self.trace } == 1)
        }
    }

    @Test("A traced call that is refused is kept with its trace, however many others are")
    func tracedRefusal() throws {
        try ServerScene.with([TestService()], metrics: settings()) { scene, clients in
            for number in 0..<20 { try clients[0].call("no.such.method", id: "\(number)") }
            try clients[0].call(
                "no.such.method", id: "t", info: "rkm1\n\(traceParent("01"))")
            let calls = try #require(scene.scheduler.metrics).keptCalls
            #expect(calls.count == 11 && calls.allSatisfy { $0.reason == .failed })
            #expect(calls.count { $0.trace.text == Self.trace } == 1)
        }
    }

    @Test("A stream is not slow, however long it lasts; a cancelled one is kept as cancelled")
    func longStreams() throws {
        let wire = StreamScene()
        try wire.with(metrics: settings()) { scene, client in
            client.send(try wire.open("sum", id: "1", kind: "c"))
            client.send(try wire.open("deaf", id: "2", kind: "b"))
            scene.loop.tick(after: .seconds(60))
            client.send(try wire.end(id: "1"))
            client.send(try wire.kit.frame(id: "2", "rocket.cancel"))
            let calls = try #require(scene.scheduler.metrics).keptCalls
            #expect(calls.map(\.reason) == [.cancelled])
        }
    }
}
