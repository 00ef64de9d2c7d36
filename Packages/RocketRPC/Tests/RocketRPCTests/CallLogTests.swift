import Foundation
import RocketBase
import RocketRPC
import RocketReactorTestKit
import RocketTCP
import SwiftProtobuf
import Testing

/// The log lines that a server writes for its calls.
@Suite("A server's log lines", .ownThread)
struct CallLogTests {
    /// Returns the lines of the rpc stream while `body` runs, split into columns.
    func columns(
        during body: (NetAddress) async throws -> Void
    ) async throws -> [[String]] {
        let folder = NSTemporaryDirectory() + "rocket-rpc-log-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var log = LogConfiguration()
        log.rpcLevel = .debug
        log.file.folder = folder
        let logs = try LogSystem(log)
        let configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        let server = try RPCServer(
            configuration: configuration, services: [TestService(), SynchronousEcho()],
            logger: logs.rpc)
        let served = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        try await body(address)
        server.beginDrain()
        try await served.value
        logs.shutdown()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let name = try #require(names.first { $0.contains("_rpc_") })
        let text = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
        return text.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    @Test("A served call is one log line with its id, method and peer")
    func servedCall() async throws {
        let lines = try await columns { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            defer { channel.close() }
            _ = try await channel.call(TestService.echo, Text("hi"))
        }
        let served = lines.filter { $0.last?.contains("call served") == true }
        try #require(served.count == 1)
        let line = served[0]
        #expect(line.count == 7 && line[0] == "[DEBUG]", "\(line)")
        #expect(line[3].wholeMatch(of: /\[\d{20}\]/) != nil)
        #expect(line[4] == "[test.v1.Test.echo]")
        #expect(
            line[6].wholeMatch(of: /call served code=0 us=\d+ peer=127\.0\.0\.1:\d+/) != nil,
            "\(line)")
    }

    @Test("A failed handler is logged with the id and method of its call")
    func failedHandler() async throws {
        let lines = try await columns { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            defer { channel.close() }
            await #expect(throws: RPCError.self) {
                try await channel.call(TestService.fail, Text("plain"))
            }
        }
        let line = try #require(lines.first { $0.first == "[ERROR]" })
        #expect(line[3].wholeMatch(of: /\[\d{20}\]/) != nil)
        #expect(line[4] == "[test.v1.Test.fail]")
        #expect(
            line[6].wholeMatch(of: /handler failed error=Plain\(\) peer=127\.0\.0\.1:\d+/) != nil,
            "\(line)")
    }

    @Test("A broken stream is one log line with the rule, the offset and the peer")
    func brokenStream() async throws {
        let lines = try await columns { address in
            let client = try RawClient(address)
            var bytes = try FrameKit().frame()
            bytes[5] = 0xFF
            client.send(bytes)
            #expect(client.isAtEnd())
        }
        let broken = lines.filter { $0.first == "[ERROR]" }
        try #require(broken.count == 1)
        let text = try #require(broken[0].last)
        #expect(text.hasPrefix("bad frame, connection closed "), "\(text)")
        #expect(text.contains(/rule="?msg_id length"? offset=5\b/), "\(text)")
        #expect(text.contains(/peer=127\.0\.0\.1:\d+/), "\(text)")
    }

    @Test("The line of a peer that speaks gRPC, HTTP or TLS says so, and what to do")
    func otherProtocols() async throws {
        let lines = try await columns { address in
            for bytes in [
                Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), Array("GET / HTTP/1.1\r\n".utf8),
                [0x16, 3, 1, 2], Array("Good morning".utf8),
            ] {
                let client = try RawClient(address)
                client.send(bytes)
                #expect(client.isAtEnd())
            }
        }
        let broken = lines.filter { $0.first == "[ERROR]" }.compactMap(\.last)
        try #require(broken.count == 4)
        #expect(
            broken[0].contains("the peer speaks HTTP/2 (gRPC)") && broken[0].contains("server/grpc")
        )
        #expect(broken[1].contains("the peer speaks HTTP/1"), "\(broken[1])")
        #expect(broken[2].contains("the peer speaks TLS"), "\(broken[2])")
        #expect(!broken[3].contains("the peer speaks"), "\(broken[3])")
    }

    @Test("The line of the start names what is served")
    func start() async throws {
        let lines = try await columns { _ in }
        let start = try #require(lines.compactMap(\.last).first { $0.hasPrefix("server started ") })
        #expect(start.contains(" wires=TinyPB"), "\(start)")
    }

    @Test("Lines of refused calls and broken streams have no other call's id, method and peer")
    func ownColumns() async throws {
        let kit = FrameKit()
        let lines = try await columns { address in
            for method in ["test.v1.Test.echo", "test.sync.Sync.echo"] {
                let client = try RawClient(address)
                client.send(
                    try kit.frame(id: "served", method) + kit.frame(id: "refused", "no.Where.call")
                        + kit.frame(id: "served", method) + [0xFF])
                while !client.receiveFrame().isEmpty {}
            }
        }
        let refused = lines.filter { $0.last?.hasPrefix("call refused") == true }
        #expect(refused.count == 2)
        for line in refused {
            #expect(line[3] == "[refused]" && line[4] == "[no.Where.call]", "\(line)")
            #expect(
                line[6].wholeMatch(
                    of: /call refused code=ERROR_SERVICE_NOT_FOUND error=".*" peer=127[.:0-9]+/)
                    != nil, "\(line)")
        }
        let broken = lines.filter { $0.last?.hasPrefix("bad frame") == true }
        #expect(broken.count == 2)
        for line in broken {
            #expect(line[3] == "[]" && line[4] == "[]", "\(line)")
            #expect(line[6].matches(of: /peer=/).count == 1, "\(line)")
        }
    }
}
