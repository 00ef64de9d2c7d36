import RocketBase
import RocketCodec
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Recording) @testable import RocketRPC

/// Recordings of a server that runs.
@Suite("Recorded calls of a server")
struct RecordedCallsTests {
    private func serving(
        _ body: (RPCServer, RPCChannel) async throws -> Void
    ) async throws {
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.collectsMetrics = true
        let server = try RPCServer(
            configuration: configuration, services: [TestService(), SynchronousService()])
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run() }
            let address = try #require(await server.boundAddresses.first)
            let channel = try RPCChannel(to: address, configuration: .patient)
            do { try await body(server, channel) } catch {
                server.beginDrain()
                throw error
            }
            channel.close()
            server.beginDrain()
            try await group.waitForAll()
        }
    }

    /// Waits until the loops of a server have done what they were given before.
    private func settle(_ server: RPCServer) async { _ = await server.snapshot() }

    private func taken(_ recorder: RPCCallRecorder) -> [RPCRecordedCall] {
        var calls: [RPCRecordedCall] = []
        while let call = recorder.take() { calls.append(call) }
        return calls
    }

    @Test("calls have their requests and replies, errors and metadata, of both kinds of handlers")
    func everything() async throws {
        try await serving { server, channel in
            // Before it begins, and after it has ended, nothing is recorded.
            _ = try await channel.call(TestService.echo, Text("before"))
            let recorder = try #require(server.startRecording(.init()))
            #expect(server.startRecording(.init()) == nil)
            await settle(server)
            _ = try await channel.call(
                TestService.describe, Text("abc"), timeout: .seconds(3), metadata: ["x-sent": "1"])
            _ = try? await channel.call(TestService.fail, Text("rpc"))
            _ = try? await channel.call(TestService.fail, Text("plain"))
            _ = try? await channel.call(SynchronousService.fail, Text("rpc"))
            server.stopRecording(recorder)
            await settle(server)
            _ = try await channel.call(TestService.echo, Text("after"))
            let calls = taken(recorder)
            #expect(
                calls.map(\.method) == [
                    "test.v1.Test.describe", "test.v1.Test.fail", "test.v1.Test.fail",
                    SynchronousService.fail.fullName,
                ])
            let described = calls[0]
            #expect(described.request.bytes == [10, 3] + Array("abc".utf8))
            #expect(described.request.type == "google.protobuf.StringValue")
            #expect(described.response?.bytes?.isEmpty == false && described.code.rawValue == 0)
            #expect(described.metadata["x-sent"] == "1" && described.metadata["timeout-ms"] == nil)
            #expect(described.replyMetadata["x-seen"] == "1")
            #expect(try #require(described.timeout) <= .seconds(3))
            #expect(described.endedAt >= described.beganAt)
            #expect(calls[1].code == .permissionDenied && calls[1].message == "not you")
            #expect(calls[1].response == nil && calls[2].code == .internal)
            #expect(recorder.counts.recorded == 4 && recorder.take() == nil)
            // Another one can begin.
            let next = try #require(server.startRecording(.init()))
            server.stopRecording(next)
        }
    }

    private func settings(
        _ change: (inout RPCRecordingSettings) -> Void
    ) -> RPCRecordingSettings {
        var settings = RPCRecordingSettings()
        change(&settings)
        return settings
    }

    private func echo(_ texts: [String], by channel: RPCChannel) async throws {
        for text in texts { _ = try await channel.call(TestService.echo, Text(text)) }
    }

    @Test("limits on calls and on messages, and the choice of methods")
    func limits() async throws {
        let pattern = try MethodPattern("test.v1.Test.echo")
        let limits = settings {
            $0.methods = [pattern]
            $0.maxCalls = 2
            $0.maxMessageBytes = 10
        }
        try await serving { server, channel in
            let recorder = try #require(server.startRecording(limits))
            await settle(server)
            _ = try await channel.call(TestService.describe, Text("x"))
            try await echo(["much longer than ten bytes", "x", "y"], by: channel)
            await settle(server)
            #expect(recorder.isComplete && recorder.counts.recorded == 2)
            #expect(recorder.counts.omittedMessages == 2)
            let first = try #require(recorder.take())
            #expect(first.request.bytes == nil && first.request.length == 28)
            let second = try #require(recorder.take())
            #expect(second.request.bytes == [10, 1, 120])
            server.stopRecording(recorder)
        }
    }

    @Test("above the limit on memory calls are dropped, until those before are taken")
    func memory() async throws {
        let limits = settings { $0.bufferBytes = RPCCallRecorder.bytesPerCall + 100 }
        try await serving { server, channel in
            let recorder = try #require(server.startRecording(limits))
            await settle(server)
            try await echo(["x", "y"], by: channel)
            await settle(server)
            #expect(recorder.counts.recorded == 1 && recorder.counts.dropped == 1)
            #expect(taken(recorder).count == 1)
            try await echo(["z"], by: channel)
            await settle(server)
            #expect(recorder.counts.recorded == 2)
            server.stopRecording(recorder)
        }
    }

    @Test("one of so many calls is recorded, and each call of the first loop comes sooner or later")
    func sampling() async throws {
        try await serving { server, channel in
            let recorder = try #require(server.startRecording(settings { $0.callsPerSample = 4 }))
            await settle(server)
            for _ in 0..<70 { _ = try await channel.call(TestService.echo, Text("x")) }
            await settle(server)
            server.stopRecording(recorder)
            // Gaps are 1 to 7 calls.
            #expect((10...70).contains(recorder.counts.recorded))
            #expect(recorder.counts.recorded < 70)
        }
    }
}
