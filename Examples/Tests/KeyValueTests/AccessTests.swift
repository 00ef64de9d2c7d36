import Foundation
import RocketBase
import RocketRPC
import RocketTLS
import RocketTLSTestKit
import SwiftProtobuf
import Testing

@testable import keyvalue

/// Who may call what, and TLS.
@Suite struct AccessTests {
    @Test(
        "A reader may read, a writer may write, and nobody else may call",
        arguments: [
            (RunningStore.writer, true, nil), (RunningStore.reader, false, .notFound),
            (RunningStore.reader, true, .permissionDenied), (nil, false, .unauthenticated),
            ("a-guess", false, .unauthenticated),
        ] as [(String?, Bool, RPCErrorCode?)])
    func keys(key: String?, isWrite: Bool, code: RPCErrorCode?) async throws {
        try await RunningStore.run { server in
            let client = try KeyValueClient(to: server.address, key: key)
            defer { client.store.channel.close() }
            var found: RPCErrorCode?
            do throws(RPCError) {
                if isWrite {
                    _ = try await client.store.put(.with { $0.key = "a" })
                } else {
                    _ = try await client.store.get(.with { $0.key = "a" })
                }
            } catch {
                found = error.code
            }
            #expect(found == code)
        }
    }

    // docs: tls
    @Test("With TLS the client verifies the server, on both wires", arguments: [false, true])
    func tls(isGRPC: Bool) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let authority = TestAuthority(inFolder: folder.path)
        let identity = authority.issue("server", names: "IP:127.0.0.1")

        try await RunningStore.run { config in
            config.server.tls = ServerTLSConfig(
                certificate: identity.certificate, key: identity.key)
        } _: { server in
            var tls = StubTLSConfig()
            tls.ca = authority.certificate
            let client = try KeyValueClient(
                to: server.address, key: RunningStore.writer, tls: tls, isGRPC: isGRPC)
            defer { client.store.channel.close() }
            #expect(try await client.append("tea", to: "list").version == 1)

            let plain = try KeyValueClient(to: server.address, key: RunningStore.writer)
            defer { plain.store.channel.close() }
            await #expect(throws: RPCError.self) { try await plain.append("tea", to: "list") }
        }
    }
    // docs: end
}
