import RocketBase
import RocketReactorTestKit
import RocketSystem
import SwiftProtobuf
import Testing

@testable import RocketRPC

@Suite("Tokens that a server verifies")
struct ServerTokenTests {
    let kit = FrameKit()

    private func info(_ token: String) -> String { "rkm1\nauthorization=Bearer%20\(token)\n" }

    /// Makes a call, and returns the token that its handler saw, or the error.
    private func call(
        _ client: ServerScene.Client, _ info: String, method: String = "sync"
    ) throws -> String {
        try client.call("test.Who.\(method)", id: "1", info: info)
        let answer = try #require(try client.answers().first)
        if answer.code != .success { return "\(answer.code.name): \(answer.info)" }
        let text = try Text(serializedBytes: answer.payload).value
        return String(text.dropFirst("127.0.0.1:2 none ".count))
    }

    private func expect(
        _ client: ServerScene.Client, _ info: String, method: String = "sync",
        gives expected: String, at location: SourceLocation = #_sourceLocation
    ) throws {
        let found = try call(client, info, method: method)
        #expect(found == expected, sourceLocation: location)
    }

    @Test("A handler reads the token of its call, and no other call has it")
    func handlers() throws {
        for method in ["sync", "async"] {
            try ServerScene.with([WhoService()], authenticator: TestAuthenticator()) {
                _, clients in
                let client = clients[0]
                try expect(client, info("good-a"), method: method, gives: "token:a 1")
                try expect(client, "", method: method, gives: "no token")
                try expect(client, info("good-b"), method: method, gives: "token:b 1")
                try expect(client, "rkm1\nx-a=1\n", method: method, gives: "no token")
            }
        }
    }

    @Test("Handlers remain synchronous: they are served without a task")
    func staySynchronous() throws {
        let authenticator = TestAuthenticator()
        let dispatcher = try RPCDispatcher(
            services: [WhoService()], authenticator: authenticator,
            authorization: AuthorizationPolicy("allow * to *"))
        #expect(dispatcher.table.entries.count(where: \.isSynchronous) == 2)
        try ServerScene.with([WhoService()], authenticator: authenticator) { scene, clients in
            let frame = try kit.frame("test.Who.sync", info: info("good-a"))
            clients[0].peer.receiveOnly(frame, clients[0].connection)
            // Answered before the loop has run a task.
            #expect(try clients[0].answers().codes == [.success])
            _ = scene
        }
    }

    @Test(
        "A token that is not valid fails its call only, with a fixed text",
        arguments: [
            "authorization=Bearer%20bad", "authorization=Bearer", "authorization=Basic%20good-a",
            "authorization=", "authorization=%FF", "authorization=good-a",
        ])
    func invalid(line: String) throws {
        try ServerScene.with([WhoService()], authenticator: TestAuthenticator()) { _, clients in
            let client = clients[0]
            try expect(client, "rkm1\n\(line)\n", gives: "UNAUTHENTICATED: the token is not valid")
            try expect(client, info("good-a"), gives: "token:a 1")
        }
    }

    @Test("The same token is verified once a minute, and again when the keys have changed")
    func reuse() throws {
        let authenticator = TestAuthenticator()
        try ServerScene.with([WhoService()], authenticator: authenticator) { scene, clients in
            for _ in 0..<3 { _ = try call(clients[0], info("good-a")) }
            #expect(authenticator.verified.count == 1)
            scene.loop.tick(after: .seconds(59))
            _ = try call(clients[0], info("good-a"))
            #expect(authenticator.verified.count == 1)
            scene.loop.tick(after: .seconds(1))
            _ = try call(clients[0], info("good-a"))
            #expect(authenticator.verified.count == 2)
            authenticator.changeKeys()
            _ = try call(clients[0], info("good-a"))
            _ = try call(clients[0], info("good-a"))
            #expect(authenticator.verified.count == 3)
        }
    }

    @Test("A new policy holds for the next call of a token that is known")
    func newPolicy() throws {
        try ServerScene.with([WhoService()], authenticator: TestAuthenticator()) { scene, clients in
            scene.dispatcher.update(try AuthorizationPolicy("allow * to token:a"))
            try expect(clients[0], info("good-a"), gives: "token:a 1")
            try expect(clients[0], info("good-a"), gives: "token:a 1")
            scene.dispatcher.update(try AuthorizationPolicy("allow * to token:b"))
            let denied = "PERMISSION_DENIED: the caller may not call this method"
            try expect(clients[0], info("good-a"), gives: denied)
            try expect(clients[0], info("good-b"), gives: "token:b 1")
        }
    }

    @Test("A token is not accepted after it has expired, however often it was before")
    func expiry() throws {
        // The clock of the scene begins at 2026-01-01.
        let expires = WallTime(nanoseconds: 1_767_225_600_000_000_000 + 10_000_000_000)
        try ServerScene.with(
            [WhoService()], authenticator: TestAuthenticator(expires: expires)
        ) { scene, clients in
            try expect(clients[0], info("good-a"), gives: "token:a 1")
            scene.loop.tick(after: .milliseconds(9999))
            try expect(clients[0], info("good-a"), gives: "token:a 1")
            scene.loop.tick(after: .milliseconds(1))
            try expect(
                clients[0], info("good-a"), gives: "UNAUTHENTICATED: the token is not valid")
        }
    }

    @Test("The last 8 tokens of a connection are kept")
    func bound() throws {
        let authenticator = TestAuthenticator()
        try ServerScene.with([WhoService()], authenticator: authenticator) { _, clients in
            for number in 0..<8 { _ = try call(clients[0], info("good-\(number)")) }
            _ = try call(clients[0], info("good-0"))
            #expect(authenticator.verified.count == 8)
            _ = try call(clients[0], info("good-8"))
            // The least recently used one was replaced.
            _ = try call(clients[0], info("good-0"))
            #expect(authenticator.verified.count == 9)
            try expect(clients[0], info("good-1"), gives: "token:1 1")
            #expect(authenticator.verified.count == 10)
        }
    }

    @Test("A refused token is verified each time")
    func refusedToken() throws {
        let authenticator = TestAuthenticator()
        try ServerScene.with([WhoService()], authenticator: authenticator) { _, clients in
            for _ in 0..<2 { _ = try call(clients[0], info("bad")) }
            #expect(authenticator.verified == ["bad", "bad"])
        }
    }
}
