import Foundation
import RocketBase
import RocketNATS
import RocketProgram
import Testing

@testable import ChatServerKit

struct ChatBackplaneConfigurationTests {
    private func configuration(
        _ change: (inout ChatConfig) -> Void, readsFiles: Bool = true
    ) throws -> ChatBackplaneConfiguration? {
        var chat = ChatConfig()
        change(&chat)
        return try ChatBackplaneConfiguration(
            chat, security: TLSReload(logger: .disabled).provider, readsFiles: readsFiles)
    }

    private func problem(
        readsFiles: Bool = true, _ change: (inout ChatConfig) -> Void
    ) -> String {
        do { _ = try configuration(change, readsFiles: readsFiles) } catch { return "\(error)" }
        return ""
    }

    @Test("Without chat/backplane there is none; with one the machine's name is the server's")
    func defaults() throws {
        #expect(try configuration { _ in } == nil)
        let found = try #require(try configuration { $0.backplane = "nats://10.0.0.1,b.example:5" })
        #expect(found.nats.servers.map(\.description) == ["10.0.0.1:4222", "b.example:5"])
        #expect(found.room == "main" && !found.serverName.isEmpty && found.nats.security == nil)
        #expect(try found.subject.description == "rocket.chat.main")
    }

    @Test("A file has the credentials: an NKEY, a name with a password, or a token")
    func credentials() throws {
        let file = NSTemporaryDirectory() + "chat-credentials-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        func read(_ text: String, mode: Int = 0o600) throws -> NATSCredentials {
            try Data(text.utf8).write(to: URL(filePath: file))
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: file)
            let found = try configuration {
                $0.backplane = "nats://a"
                $0.backplaneCredentials = file
            }
            return try #require(found).nats.credentials
        }
        guard case .token("secret") = try read("secret\n"),
            case .user("me", password: "a:b") = try read("me:a:b"),
            case .key = try read("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY\n")
        else {
            Issue.record("other credentials")
            return
        }
        let error = #expect(throws: ChatBackplaneError.self) { try read("a", mode: 0o644) }
        #expect(error?.description.contains("has the mode 0644") == true)
        #expect(throws: ChatBackplaneError.self) { try read("") }
        #expect(throws: ChatBackplaneError.self) { try read("a\nb\n") }
        #expect(throws: NATSConfigurationError.self) {
            try read("SUACSSM3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY")
        }
    }

    @Test("What is wrong is an error that says what")
    func problems() {
        #expect(problem { $0.backplane = "redis://a" }.contains("nats:// or tls://"))
        #expect(problem { $0.backplane = "nats://me:x@a" }.contains("backplane_credentials"))
        #expect(!problem { $0.backplane = "nats://me:x@a" }.contains("me:x"))
        let wrongCA = problem {
            $0.backplane = "nats://a"
            $0.backplaneCA = "ca.pem"
        }
        #expect(wrongCA.contains("use tls://"))
        let missing = problem {
            $0.backplane = "tls://a"
            $0.backplaneCA = "/none/ca.pem"
        }
        #expect(missing.contains("/none/ca.pem"))
        let unread = problem(readsFiles: false) {
            $0.backplane = "tls://a"
            $0.backplaneCA = "/none/ca.pem"
            $0.backplaneCredentials = "/none/credentials"
        }
        #expect(unread == "")
        let noFile = problem {
            $0.backplane = "nats://a"
            $0.backplaneCredentials = "/none/credentials"
        }
        #expect(noFile.contains("/none/credentials"))
        let room = problem {
            $0.backplane = "nats://a"
            $0.room = "a..b"
        }
        #expect(room.contains("a token is empty"))
        let name = problem {
            $0.backplane = "nats://a"
            $0.serverName = String(repeating: "ä", count: 51)
        }
        #expect(name.contains("100 letters"))
    }
}
