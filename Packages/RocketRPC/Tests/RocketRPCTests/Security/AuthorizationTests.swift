import Foundation
import RocketBase
import RocketSystem
import RocketSystemd
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite("Calls that a policy allows")
struct AuthorizationTests {
    let process = PeerIdentity.unix(PeerCredentials(processID: 7, userID: 1000, groupID: 100))

    private func code(
        _ client: ServerScene.Client, _ method: String, token: String? = nil
    ) throws -> RPCErrorCode {
        let info = token.map { "rkm1\nauthorization=Bearer%20\($0)\n" } ?? ""
        try client.call(method, id: "1", info: info)
        return try #require(try client.answers().first).code
    }

    private func expect(
        _ client: ServerScene.Client, _ method: String, token: String? = nil,
        gives expected: RPCErrorCode, at location: SourceLocation = #_sourceLocation
    ) throws {
        let found = try code(client, method, token: token)
        #expect(found == expected, "\(method)", sourceLocation: location)
    }

    @Test("A call is served if a rule allows it, and its handler does not run otherwise")
    func decisions() throws {
        let policy = try AuthorizationPolicy(
            "deny test.Who.other to token:guest", "allow test.Who.* to token:guest token:staff")
        try ServerScene.with(
            [WhoService(), TestService()], authenticator: TestAuthenticator(),
            authorization: policy
        ) { scene, clients in
            let client = clients[0]
            for _ in 0..<2 {
                try expect(client, "test.Who.sync", token: "good-guest", gives: .success)
                try expect(client, "test.Who.async", token: "good-guest", gives: .success)
                try expect(client, "test.Who.other", token: "good-guest", gives: .permissionDenied)
                try expect(client, "test.Who.other", token: "good-staff", gives: .success)
                try expect(
                    client, "test.v1.Test.echo", token: "good-staff", gives: .permissionDenied)
                try expect(client, "test.Who.sync", gives: .unauthenticated)
                try expect(client, "test.v1.Test.echo", gives: .unauthenticated)
            }
            #expect(scene.dispatcher.statistics.refusedCalls == 8)
        }
    }

    @Test("The caller gets a fixed text, which does not tell the rule")
    func texts() throws {
        let policy = try AuthorizationPolicy("allow test.Who.sync to token:staff")
        for (identity, text) in [
            (PeerIdentity.none, "the caller has not proved who it is"),
            (process, "the caller may not call this method"),
        ] {
            try ServerScene.with(
                [WhoService()], authorization: policy, identity: identity
            ) { _, clients in
                for method in ["sync", "async"] {
                    try clients[0].call("test.Who.\(method)", id: "1")
                    #expect(try clients[0].answers().map(\.info) == [text])
                }
            }
        }
    }

    @Test("The identity of the connection counts without an authenticator, too")
    func connections() throws {
        let policy = try AuthorizationPolicy("allow test.Who.* to unix:uid=1000")
        for (identity, expected) in [
            (process, RPCErrorCode.success), (PeerIdentity.none, .unauthenticated),
        ] {
            try ServerScene.with(
                [WhoService()], authorization: policy, identity: identity
            ) { _, clients in
                try expect(clients[0], "test.Who.sync", gives: expected)
                try expect(clients[0], "test.Who.async", token: "ignored", gives: expected)
            }
        }
    }

    @Test("A new policy applies to the next call of every connection, and so does none")
    func update() throws {
        try ServerScene.with([WhoService()], connections: 2, identity: process) {
            scene, clients in
            func expectCodes(_ expected: [RPCErrorCode]) throws {
                for (client, code) in zip(clients, expected) {
                    try expect(client, "test.Who.sync", gives: code)
                }
            }
            try expectCodes([.success, .success])
            scene.dispatcher.update(try AuthorizationPolicy("allow * to token:nobody"))
            try expectCodes([.permissionDenied, .permissionDenied])
            scene.dispatcher.update(try AuthorizationPolicy("allow * to authenticated"))
            try expectCodes([.success, .success])
            scene.dispatcher.update(try AuthorizationPolicy([]))
            try expectCodes([.permissionDenied, .permissionDenied])
            scene.dispatcher.update(nil)
            try expectCodes([.success, .success])
        }
    }

    @Test("Limits come first: a draining server says so to callers that may not call")
    func draining() throws {
        try ServerScene.with(
            [WhoService()], authorization: AuthorizationPolicy([])
        ) { _, clients in
            clients[0].drain()
            try expect(clients[0], "test.Who.sync", gives: .unavailable)
        }
    }

    @Test("Health and reflection are methods like all others")
    func builtInServices() async throws {
        let policy = try AuthorizationPolicy("allow rocket.Health.check to *")
        try await withServer([WhoService()]) {
            $0.reflection = true
            $0.authorization = policy
        } _: { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            defer { channel.close() }
            _ = try await channel.call(RPCHealthMethods.check, RPCHealthCheckRequest())
            let error = await #expect(throws: RPCError.self) {
                _ = try await channel.call(RPCHealthMethods.watch, RPCHealthWatchRequest())
            }
            #expect(error?.code == .unauthenticated)
            let list = RPCMethod<Text, Text>(
                service: "rocket.Reflection", name: "listServices")
            let refused = await #expect(throws: RPCError.self) {
                _ = try await channel.call(list, Text())
            }
            #expect(refused?.code != .methodNotFound)
        }
    }

    @Test("The log tells the operator the rule and the caller, and not the token")
    func log() async throws {
        let folder = NSTemporaryDirectory() + "rocket-authorization-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var log = LogConfiguration()
        log.file.folder = folder
        let logs = try LogSystem(log)
        let dispatcher = try RPCDispatcher(
            services: [WhoService()], authenticator: TestAuthenticator(),
            authorization: AuthorizationPolicy("deny test.Who.sync to token:guest"),
            logger: logs.rpc)
        let kit = FrameKit()
        for token in ["good-guest", "secret"] {
            _ = await dispatcher.answer(
                try kit.frame("test.Who.sync", info: "rkm1\nauthorization=Bearer%20\(token)\n"))
        }
        logs.shutdown()
        var text = ""
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            text += try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
        }
        let lines = text.split(separator: "\n").filter { $0.contains("call not allowed") }
        #expect(lines.count == 2, "\(text)")
        #expect(lines.first?.contains("PERMISSION_DENIED") == true)
        #expect(lines.first?.contains("reason=\"rule 1 denies token:guest\"") == true)
        #expect(lines.first?.contains("[test.Who.sync]") == true)
        #expect(lines.last?.contains("the key is unknown") == true)
        #expect(!text.contains("secret") && !text.contains("good-"))
    }

    @Test("A configuration file's table is that of the server, and a reload changes it")
    func configuration() throws {
        func config(_ rules: String) throws -> RocketConfig {
            let xml =
                "<root><server><port>0</port><authorization>\(rules)</authorization></server></root>"
            return try RocketConfig(xml: [UInt8](xml.utf8), file: "r.xml")
        }
        let old = try config("<rule>allow * to token:a</rule>")
        let server = try RPCServer(
            config: old, services: [WhoService()], authenticator: TestAuthenticator(), systemd: nil,
            sockets: .none)
        #expect(server.dispatcher.access.current.policy == old.server.authorization)
        #expect(server.dispatcher.access.authenticator != nil)
        let new = try config("<rule>deny * to *</rule>")
        server.update(try RPCServerConfiguration(new.server))
        #expect(server.dispatcher.access.current.policy == new.server.authorization)
    }
}
