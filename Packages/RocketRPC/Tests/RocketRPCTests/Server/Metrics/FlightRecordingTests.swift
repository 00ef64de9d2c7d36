@_spi(Recording) import RocketBase
import RocketReactorTestKit
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// What a server writes into a flight recorder.
@Suite("Calls in a flight recorder")
struct FlightRecordingTests {
    let kit = FrameKit()
    let service = TestService()
    let sleeper = SleepingService()
    let path = "/tmp/rocket-flight-\(UInt64.random(in: 0 ... .max))"

    private func read() throws -> FlightRecording {
        try FlightRecording(FileContents.read(path, limit: 1 << 20))
    }

    private func with(
        _ body: (ServerScene, ServerScene.Client) throws -> Void
    ) throws {
        let recorder = try FlightRecorder(
            path: path, byteCount: 1, program: "test", loops: 1, time: sleeper.clock)
        defer { try? FileSystem.remove(path) }
        try ServerScene.with(
            [service, SynchronousService(), sleeper], clock: sleeper.clock,
            metrics: ServerMetrics.Settings(), flightRecorder: recorder
        ) { scene, clients in
            try body(scene, clients[0])
            service.gate.open()
            scene.loop.tickUntilIdle()
        }
    }

    @Test(
        "Calls that have ended are there with codes and sizes, whatever kind their handlers are",
        arguments: ["test.v1.Test", "test.v1.Synchronous"])
    func ended(name: String) throws {
        try with { _, client in
            try client.call("\(name).echo", id: "1", payload: kit.text("abc"))
            try client.call("\(name).fail", id: "2", payload: kit.text("rpc"))
            try client.call("\(name).none", id: "3", payload: [])
            let recording = try read()
            #expect(recording.callsInFlight.isEmpty)
            let calls = recording.endedCalls
            #expect(calls.map(\.messageID) == ["1", "2", "3"])
            #expect(calls.map(\.isRefused) == [false, false, true])
            #expect(calls.map(\.code) == [.success, .permissionDenied, .methodNotFound])
            #expect(calls[0].method == "\(name).echo" && calls[0].wire == "TinyPB")
            #expect(calls[0].requestBytes == 5 && calls[0].responseBytes == 5)
            #expect(recording.loops.count == 1)
        }
    }

    @Test("A call whose handler waits is in flight until it ends")
    func inFlight() throws {
        try with { scene, client in
            try client.call("test.v1.Test.hold", id: "slow")
            for id in ["a", "b"] {
                try client.call("test.v1.Test.echo", id: id, payload: kit.text(id))
            }
            scene.loop.tick(after: .seconds(3))
            scene.loop.tickUntilIdle()
            var recording = try read()
            #expect(recording.callsInFlight.map(\.messageID) == ["slow"])
            #expect(recording.callsInFlight.first?.duration == .seconds(3))
            #expect(recording.endedCalls.count == 2)
            service.gate.open()
            scene.loop.tickUntilIdle()
            recording = try read()
            #expect(recording.callsInFlight.isEmpty && recording.endedCalls.count == 3)
            #expect(recording.endedCalls.last?.duration == .seconds(3))
        }
    }

    @Test("Calls whose connection is lost have ended")
    func lost() throws {
        try with { _, client in
            try client.call("test.v1.Test.hold", id: "lost")
            #expect(try read().callsInFlight.count == 1)
            client.reset()
            let recording = try read()
            #expect(recording.callsInFlight.isEmpty)
            #expect(recording.endedCalls.map(\.code) == [.cancelled])
        }
    }
}
