import Foundation
import RocketBase
import RocketRPC
import SwiftProtobuf
import Testing

@testable import greeter

/// The handlers without a network, and the program's own server and client over TCP.
@Suite struct GreeterTests {
    // docs: in-process
    @Test("Both handlers greet, and refuse an empty name", arguments: [true, false])
    func handlers(isQuick: Bool) async throws {
        let service: any RPCService = isQuick ? QuickGreetings() : Greetings()
        let channel = try RPCChannel(inProcess: [service])
        defer { channel.close() }
        let greeter = GreeterClient(channel)
        #expect(try await greeter.hello(.with { $0.name = "Ada" }).text == "Hello, Ada!")
        let error = await #expect(throws: RPCError.self) { try await greeter.hello(.init()) }
        #expect(error?.code == .invalidArgument)
    }
    // docs: end

    @Test(
        "curl calls it as README.md says, at the address of its configuration",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")))
    func curl() async throws {
        let root = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()
        let readme = try String(contentsOfFile: root + "/README.md", encoding: .utf8)
        let line = try #require(readme.split(separator: "\n").first { $0.hasPrefix("curl ") })
        var config = try RocketConfig(contentsOf: root + "/Examples/conf/greeter.xml")
        let written = try #require(config.server.http?.listen.first)
        #expect(line.contains("http://\(written)/"))
        config.server.port = 0
        config.server.http?.listen = ["127.0.0.1:0"]
        let server = try makeServer(config)
        let running = Task { try await server.run() }
        let address = try #require(await server.boundHTTPAddresses.first)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "exec " + line.replacing(written, with: "\(address)") + " --silent",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(text == #"{"text":"Hello, Ada!"}"#)
        server.beginDrain()
        try await running.value
    }

    // docs: loopback
    @Test("The client greets over TCP")
    func overTCP() async throws {
        var config = RocketConfig()
        config.server.port = 0
        let server = try makeServer(config)
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        #expect(try await greet("Ada", at: "\(address)") == "Hello, Ada!")
        server.beginDrain()
        try await running.value
    }
    // docs: end
}
