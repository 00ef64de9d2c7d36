import ArgumentParser
import Foundation
import RocketBase
import RocketProgram
import RocketTCP
import Testing

@testable import ChatServerKit

struct ChatServerCommandTests {
    @Test("Without an argument the configuration is the local one, or else the installed one")
    func configuration() throws {
        let base = NSTemporaryDirectory() + "chat-server-command-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: base) }
        func path(_ arguments: String...) throws -> String {
            let command = try ChatServerCommand.parse(arguments)
            return try command.configuration(root: "\(base)/root", folder: "\(base)/user/")
        }
        func write(_ path: String) throws {
            let url = URL(filePath: "\(base)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: url)
        }
        let failure = #expect(throws: ProgramFailure.self) { _ = try path() }
        #expect(failure?.description.contains("/etc/rocket/chat_server.xml") == true)
        try write("root/etc/rocket/chat_server.xml")
        #expect(try path() == "\(base)/root/etc/rocket/chat_server.xml")
        try write("user/conf/chat.xml")
        #expect(try path() == "\(base)/user/conf/chat.xml")
        #expect(try path("x.xml") == "x.xml")
    }

    @Test("A configuration with TLS needs a provider, and is an error without one")
    func security() throws {
        var config = RocketConfig()
        config.server.tls = ServerTLSConfig(
            certificate: "${CREDENTIALS_DIRECTORY}/none.crt", key: "none.key")
        let missing = #expect(throws: TransportSecurityError.self) {
            try ChatServerConfiguration(config)
        }
        #expect(missing?.kind == .configuration)
        let unreadable = #expect(throws: TransportSecurityError.self) {
            try ChatServerConfiguration(config, security: TLSReload(logger: .disabled).provider)
        }
        #expect(unreadable?.text.contains("none.crt: CREDENTIALS_DIRECTORY is not set") == true)
        config.server = config.server.withoutTLS
        #expect(try ChatServerConfiguration(config).tcp.security.tcp == nil)
    }

    @Test(
        "A configuration with a page or an export of spans is an error: the chat has none",
        arguments: [
            ("<admin><listen>127.0.0.1:0</listen></admin>", "admin/listen"),
            ("<trace><otlp><endpoint>127.0.0.1:1</endpoint></otlp></trace>", "trace/otlp"),
        ])
    func unsupported(_ element: String, _ name: String) throws {
        let file = NSTemporaryDirectory() + "chat-unsupported-\(UUID().uuidString).xml"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data("<root>\(element)</root>".utf8).write(to: URL(filePath: file))
        let failure = #expect(throws: ProgramFailure.self) { try ChatConfigurationFile.read(file) }
        #expect(failure?.description.contains("\(name) is set") == true)
    }
}
