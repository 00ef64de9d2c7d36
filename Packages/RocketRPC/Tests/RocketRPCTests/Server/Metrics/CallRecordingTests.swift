import RocketBase
import RocketBaseTestKit
import RocketReactorTestKit
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// What a loop counts of the calls that it serves, and which it keeps, on a manual clock.
@Suite("Recording of calls")
struct CallRecordingTests {
    let kit = FrameKit()
    let service = TestService()
    let sleeper = SleepingService()

    private func with(
        limits: RPCCallLimits = RPCCallLimits(), slow: Duration = .seconds(1),
        callsPerSample: Int = 0,
        _ body: (ServerScene, ServerScene.Client, (String) -> RPCServerSnapshot.Method) throws
            -> Void
    ) throws {
        var settings = ServerMetrics.Settings()
        settings.slowNanoseconds = UInt64(slow.wholeNanoseconds)
        settings.callsPerSample = callsPerSample
        try ServerScene.with(
            [service, SynchronousService(), sleeper], limits: limits, clock: sleeper.clock,
            metrics: settings
        ) { scene, clients in
            let metrics = try #require(scene.metrics)
            try body(scene, clients[0]) { name in
                metrics.readMethods().first { $0.name == name } ?? .init(name: "")
            }
            service.gate.open()
            scene.loop.tickUntilIdle()
        }
    }

    private func number(_ value: Int64) throws -> [UInt8] { try Number(value).serializedBytes() }

    private func kept(_ scene: ServerScene) throws -> [KeptCall] {
        try #require(scene.scheduler.metrics).keptCalls
    }

    @Test(
        "Calls are counted by method and code, whatever kind their handlers are",
        arguments: ["test.v1.Test", "test.v1.Synchronous"])
    func codes(name: String) throws {
        try with { _, client, method in
            try client.call("\(name).echo", id: "1", payload: kit.text("abc"))
            try client.call("\(name).echo", id: "2", payload: kit.text(""))
            try client.call("\(name).fail", id: "3", payload: kit.text("rpc"))
            try client.call("\(name).fail", id: "4", payload: kit.text("else"))
            try client.call("\(name).echo", id: "5", payload: [7, 7, 7])
            let echo = method("\(name).echo")
            #expect(echo.started == 3 && echo.inFlight == 0 && echo.refused == 0)
            #expect(echo.ended == [.success: 2, .failedDeserialize: 1])
            #expect(echo.requestBytes == 5 + 0 + 3 && echo.responseBytes == 5)
            #expect(echo.latency.count == 3 && echo.latency.sum == .zero)
            #expect(method("\(name).fail").ended == [.permissionDenied: 1, .internal: 1])
            #expect(method("\(name).describe").started == 0)
        }
    }

    @Test("All names that are not registered are one method")
    func unknownNames() throws {
        try with { _, client, method in
            #expect(method(RPCServerSnapshot.Method.unknownName).name.isEmpty)
            for number in 0..<100 { try client.call("no.such.Service\(number).m", id: "\(number)") }
            try client.call("test.v1.Test.other", id: "x")
            let unknown = method(RPCServerSnapshot.Method.unknownName)
            #expect(unknown.ended == [.serviceNotFound: 100, .methodNotFound: 1])
            #expect(unknown.refused == 101 && unknown.latency.count == 0)
        }
    }

    @Test("A refused call counts, but not to the latencies")
    func refusals() throws {
        var limits = RPCCallLimits()
        limits.maxCallsPerConnection = 1
        limits.methods["test.v1.Test.echo"] = RPCMethodLimits(maxRequestBytes: 4)
        try with(limits: limits) { scene, client, method in
            try client.call(id: "1", payload: kit.text("much"))
            #expect(method("test.v1.Test.echo").ended == [.resourceExhausted: 1])
            try client.call("test.v1.Test.hold", id: "2")
            try client.call("test.v1.Test.hold", id: "3")
            let hold = method("test.v1.Test.hold")
            #expect(hold.started == 2 && hold.inFlight == 1 && hold.refused == 1)
            #expect(hold.ended == [.resourceExhausted: 1] && hold.latency.count == 0)
            #expect(try kept(scene).map(\.reason) == [.failed, .failed])
            #expect(try kept(scene).first?.error == "the request has 6 bytes; 4 are allowed")
        }
    }

    @Test("A call whose handler waits is in flight, and its latency is the whole time")
    func inFlight() throws {
        try with { scene, client, method in
            try client.call("test.v1.Test.hold", id: "1", payload: number(5))
            #expect(method("test.v1.Test.hold").inFlight == 1)
            scene.loop.tick(after: .milliseconds(40))
            service.gate.open()
            scene.loop.tickUntilIdle()
            let hold = method("test.v1.Test.hold")
            #expect(hold.inFlight == 0 && hold.ended == [.success: 1])
            #expect(hold.latency.sum == .milliseconds(40))
        }
    }

    @Test("A call ends once: at its deadline, and not when its handler returns")
    func deadline() throws {
        try with { scene, client, method in
            try client.call(
                "test.v1.Test.never", id: "1", info: "rkm1\ntimeout-ms=100\n")
            scene.loop.tick(after: .milliseconds(100))
            scene.loop.tickUntilIdle()
            let never = method("test.v1.Test.never")
            #expect(never.ended == [.callTimeout: 1] && never.inFlight == 0)
            #expect(never.latency.count == 1 && never.latency.sum == .milliseconds(100))
        }
    }

    @Test("Calls of a connection that is lost end as cancelled, those of its peer's frame, too")
    func lost() throws {
        try with { scene, client, method in
            try client.call("test.v1.Test.hold", id: "1")
            try client.call("test.v1.Test.hold", id: "2")
            client.send(try kit.frame(id: "2", "rocket.cancel"))
            #expect(method("test.v1.Test.hold").ended == [.cancelled: 1])
            client.reset()
            #expect(method("test.v1.Test.hold").ended == [.cancelled: 2])
            #expect(method("test.v1.Test.hold").inFlight == 0)
            let calls = try kept(scene)
            #expect(calls.map(\.reason) == [.cancelled, .cancelled])
            #expect(calls.allSatisfy { $0.error.hasPrefix("cancelled by the caller") })
        }
    }

    @Test("A slow call is kept with the time that it waited behind another of the same read")
    func slowAndQueued() throws {
        try with(slow: .milliseconds(2)) { scene, client, method in
            let name = "test.v1.Sleeper.nap"
            client.send(
                try kit.frame(id: "1", name, payload: number(1_000))
                    + kit.frame(id: "2", name, payload: number(3_000))
                    + kit.frame(id: "3", name, payload: number(1_999)))
            let calls = try kept(scene)
            #expect(calls.map(\.reason) == [.slow])
            let call = try #require(calls.first).measured
            #expect(call.beganAt - call.readAt == 1_000_000)
            #expect(calls[0].endedAt - call.beganAt == 3_000_000)
            #expect(call.decodedAt == 0 && call.handledAt == 0)
            #expect(method(name).latency.sum == .microseconds(5_999))
        }
    }

    @Test(
        "A call that was chosen at its beginning has the times of its stages, and its trace",
        arguments: ["test.v1.Sleeper.nap", "test.v1.Sleeper.sleep"])
    func stages(name: String) throws {
        try with(callsPerSample: 1_000) { scene, client, _ in
            let trace = "0af7651916cd43dd8448eb211c80319c"
            try client.call(
                name, id: "1", info: "rkm1\ntraceparent=00-\(trace)-b7ad6b7169203331-00\n",
                payload: number(700))
            try client.call(name, id: "2", payload: number(700))
            let calls = try kept(scene)
            #expect(calls.count == 1)
            let call = try #require(calls.first)
            #expect(call.reason == .sampled && call.trace.text == trace)
            #expect(call.method?.fullName == name && call.requestBytes == 3)
            #expect(call.measured.decodedAt == call.measured.beganAt)
            #expect(call.measured.handledAt == call.measured.beganAt + 700_000)
            #expect(call.endedAt == call.measured.handledAt)
        }
    }

    @Test("A call of a trace that is exported is an example of its latency; others are none")
    func exemplars() throws {
        try with { scene, client, method in
            let name = "test.v1.Sleeper.nap"
            func call(_ id: String, _ flags: String, _ microseconds: Int64) throws {
                let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\(id)-\(flags)"
                try client.call(
                    name, id: id, info: "rkm1\ntraceparent=\(parent)\n",
                    payload: number(microseconds))
            }
            try client.call(name, id: "0", payload: number(700))
            try call("1", "00", 700)
            try call("2", "01", 700)
            try call("3", "01", 5_000)
            try call("4", "01", 710)
            let metrics = try #require(scene.metrics)
            var methods = [method(name), .init(name: RPCServerSnapshot.Method.unknownName)]
            metrics.readExemplars(
                into: &methods, WallTime(nanoseconds: 1_000_000_000),
                MonotonicTime(nanoseconds: sleeper.clock.monotonic().nanoseconds))
            let found = methods[0].exemplars
            #expect(found.map(\.spanID) == ["b7ad6b7169203334", "b7ad6b7169203333"])
            #expect(found.map(\.duration) == [.microseconds(710), .microseconds(5_000)])
            #expect(found.allSatisfy { $0.traceID == "0af7651916cd43dd8448eb211c80319c" })
            #expect(found.map(\.time.nanoseconds) == [1_000_000_000, 999_290_000])
            #expect(methods[1].exemplars.isEmpty)
        }
    }

    @Test("A handler that has suspended and is slow has its stages from there on")
    func suspended() throws {
        try with { scene, client, _ in
            try client.call("test.v1.Test.hold", id: "1")
            scene.loop.tick(after: .seconds(3))
            service.gate.open()
            scene.loop.tickUntilIdle()
            let call = try #require(try kept(scene).first)
            #expect(call.reason == .slow && call.measured.decodedAt == 0)
            #expect(call.measured.handledAt - call.measured.beganAt == 3_000_000_000)
        }
    }

    @Test("A reply is flushed at the end of its tick")
    func flush() throws {
        try DrivenServer.with(metrics: .init()) { _ in
            service
        } _: { server, service in
            server.caller.send(try kit.frame(id: "1", payload: kit.text("x")))
            server.loop.tickUntilIdle()
            let call = try #require(server.scheduler.metrics?.keptCalls.first)
            #expect(call.flushedAt > 0 && call.flushedAt == call.endedAt)
            service.gate.open()
        }
    }

    @Test("A stream is one call, with the bytes of its messages, and its status")
    func streams() throws {
        let wire = StreamScene()
        try wire.with(metrics: .init()) { scene, client in
            client.send(try wire.open("sum", kind: "c"))
            for value in 1...3 { client.send(try wire.data(wire.number(Int64(value)))) }
            let metrics = try #require(scene.metrics)
            let name = StreamService.serviceName + ".sum"
            #expect(metrics.readMethods().first { $0.name == name }?.inFlight == 1)
            client.send(try wire.end())
            let method = try #require(metrics.readMethods().first { $0.name == name })
            #expect(method.kind == .clientStreaming && method.ended == [.success: 1])
            #expect(method.inFlight == 0 && method.requestBytes == 6 && method.responseBytes == 2)
        }
    }

    @Test("The counters of calls in steady state stay in place: nothing is kept of calls")
    func nothingKept() throws {
        try with { scene, client, method in
            for number in 0..<100 { try client.call(id: "\(number)", payload: kit.text("x")) }
            #expect(try kept(scene).isEmpty)
            #expect(method("test.v1.Test.echo").ended == [.success: 100])
        }
    }
}
