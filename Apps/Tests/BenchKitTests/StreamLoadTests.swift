import RocketGRPC
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

@testable import BenchKit

struct StreamLoadTests {
    private func serve<Result>(_ body: (NetAddress) async throws -> Result) async throws -> Result {
        var configuration = RPCServerConfiguration(tcp: .init(listen: [.loopback(port: 0)]))
        configuration.protocols = [.grpc()]
        let server = try RPCServer(configuration: configuration, services: [BenchStreams()])
        async let running: Void = server.run()
        let address = try #require(await server.boundAddresses.first)
        let result = try await body(address)
        server.beginDrain()
        try await running
        return result
    }

    private func load(
        _ address: NetAddress, _ wire: BenchWire, _ kind: BenchKind, bytes: Int = 100
    ) -> StreamLoad {
        StreamLoad(
            address: address, wire: wire, kind: kind, connections: 2, streams: 3,
            duration: .milliseconds(20), messageBytes: bytes, serverProcess: nil)
    }

    @Test(
        "Streams of each kind count the messages that were received, on both wires",
        arguments: BenchWire.allCases, [BenchKind.send, .receive, .echo])
    func messages(wire: BenchWire, kind: BenchKind) async throws {
        for bytes in [0, 100, 1 << 16] {
            let report = try await serve { address in
                try await load(address, wire, kind, bytes: bytes).run()
            }
            #expect(report.calls > 0)
            #expect((report.p50_us > 0) == (kind == .echo))
        }
    }

    @Test("Streams that are held are open all at the same time", arguments: BenchWire.allCases)
    func hold(wire: BenchWire) async throws {
        try await serve { address in
            var wasOpen = false
            try await load(address, wire, .hold).hold { wasOpen = true }
            #expect(wasOpen)
        }
    }

    @Test("A flood has as many messages as requested, and a total counts them")
    func floods() async throws {
        try await serve { address in
            var configuration = RPCChannelConfiguration()
            configuration.timeout = .seconds(600)
            let client = BenchStreamsClient(
                try RPCChannel(to: address, configuration: configuration))
            let flood = try await client.receive(
                .with {
                    $0.messages = 1000
                    $0.bytes = 7
                })
            var messages: [BenchMessage] = []
            for try await message in flood { messages.append(message) }
            #expect(messages == Array(repeating: .ofBytes(7), count: 1000))
            let total = try await client.send { [messages] writer in
                for message in messages { try await writer.write(message) }
            }
            #expect(total.messages == 1000)
            #expect(total.bytes == 7000)
        }
    }
}
