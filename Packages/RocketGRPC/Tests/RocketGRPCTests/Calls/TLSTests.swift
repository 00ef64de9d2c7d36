import Foundation
import RocketBase
import RocketGRPC
import RocketRPC
import RocketSystem
import RocketTCP
import RocketTLS
import RocketTLSTestKit
import SwiftProtobuf
import Testing

@Suite("gRPC over TLS")
struct TLSTests {
    private struct ServerSecurity: ServerTransportSecurity {
        let context: TLSContext
        func acceptSession() throws(TransportSecurityError) -> any SecureSession {
            try TLSSession(acceptingBy: context)
        }
    }

    private struct ClientSecurity: ClientTransportSecurity {
        let context: TLSContext
        func connectSession(to host: String?) throws(TransportSecurityError) -> any SecureSession {
            try TLSSession(connectingBy: context, to: host)
        }
    }

    /// A server's security that offers both wires, and that of a client that offers these protocols.
    private func security(
        _ protocols: [String]
    ) throws -> (server: any ServerTransportSecurity, client: any ClientTransportSecurity) {
        let folder = FileManager.default.temporaryDirectory.path + "/grpc-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let authority = TestAuthority(inFolder: folder)
        var server = TLSServerConfiguration(identities: [authority.issue("server")])
        server.protocols = ["h2", "rocket/1"]
        var client = TLSClientConfiguration()
        client.trust = .file(authority.certificate)
        client.protocols = protocols
        let now = SystemTimeSource().wall()
        return (
            ServerSecurity(context: try TLSContext(server, tickets: nil, now: now)),
            ClientSecurity(context: try TLSContext(client, now: now))
        )
    }

    @Test("ALPN chooses the wire")
    func alpn() async throws {
        for (name, usesGRPC) in [("h2", true), ("rocket/1", false)] {
            let security = try security([name])
            try await withGRPCServer(configure: { $0.tcp.security.tcp = security.server }) {
                _, address in
                var configuration = grpcChannel()
                if !usesGRPC { configuration.protocol = .tinyPB }
                configuration.security = security.client
                let channel = try RPCChannel(to: address, configuration: configuration)
                defer { channel.close() }
                let reply = try await channel.call(GRPCService.echo, Text("x"))
                #expect(reply.value == "x")
            }
        }
    }

    @Test("A channel of gRPC that has agreed on another protocol is not connected")
    func otherProtocol() async throws {
        let security = try security(["rocket/1"])
        try await withGRPCServer(configure: { $0.tcp.security.tcp = security.server }) {
            _, address in
            var configuration = grpcChannel()
            configuration.security = security.client
            let channel = try RPCChannel(to: address, configuration: configuration)
            defer { channel.close() }
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(GRPCService.echo, Text("x"))
            }
            #expect(error?.code == .failedConnect)
            #expect(
                error?.message.contains("set the protocols of its TLS configuration to [\"h2\"]")
                    == true)
        }
    }
}
