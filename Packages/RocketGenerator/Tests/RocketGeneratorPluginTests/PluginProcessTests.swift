import Foundation
import Testing

/// Tests the executable as a plugin of protoc.
@Suite("protoc-gen-rocket")
struct PluginProcessTests {
    /// SwiftPM builds all products in the folder of the test bundle.
    private var plugin: URL {
        get throws {
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(filePath: tests).deletingLastPathComponent()
                .appending(path: "protoc-gen-rocket")
        }
    }

    private func run(_ proto: String, check: (Protoc.Outcome, URL) throws -> Void) throws {
        try Protoc.withTemporaryFolder { folder in
            try Protoc.write(proto, to: folder.appending(path: "a.proto"))
            let outcome = try Protoc.run([
                "--proto_path=\(folder.path())", "--plugin=\(try plugin.path())",
                "--rocket_out=\(folder.path())", "--rocket_opt=Visibility=Public", "a.proto",
            ])
            try check(outcome, folder.appending(path: "a.rocket.swift"))
        }
    }

    @Test("Writes a file when protoc runs it")
    func writesAFile() throws {
        try run("syntax = \"proto3\"; message M {} service S { rpc go(M) returns (M); }") {
            #expect($0.status == 0, "\($0.standardError)")
            let text = try String(contentsOf: $1, encoding: .utf8)
            #expect(text.contains("public nonisolated struct SClient"))
        }
    }

    @Test("Fails with the file and line of a comment that is no UTF-8")
    func invalidComment() throws {
        try Protoc.withTemporaryFolder { folder in
            var text = Data("syntax = \"proto3\";\n// ".utf8)
            text.append(contentsOf: [0xff, 0xfe])
            text.append(contentsOf: Data("\nmessage M {} service S {}\n".utf8))
            try text.write(to: folder.appending(path: "a.proto"))
            let outcome = try Protoc.run([
                "--proto_path=\(folder.path())", "--plugin=\(try plugin.path())",
                "--rocket_out=\(folder.path())", "a.proto",
            ])
            #expect(outcome.status == 1)
            #expect(
                outcome.standardError.contains(
                    "a.proto:3:1: the comment of this declaration is not valid UTF-8"))
        }
    }

    @Test(
        "Fails for input that is no request of protoc",
        arguments: [[0xff, 0xff], [0x0a, 0x05, 0x61], [], Array("hello, plugin\n".utf8)])
    func garbage(input: [UInt8]) throws {
        let outcome = try run(input)
        #expect(outcome.status == 65)
        #expect(
            outcome.standardError.hasPrefix("protoc-gen-rocket: standard input holds no request"))
    }

    @Test("Fails for an unknown argument")
    func unknownArgument() throws {
        let outcome = try run([], arguments: ["--nothing"])
        #expect(outcome.status == 64)
        #expect(
            outcome.standardError == "protoc-gen-rocket: unknown argument '--nothing'; see --help\n"
        )
    }

    @Test("Fails if the response can't be written")
    func fullOutput() throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let outcome = try run([], arguments: ["--version"], output: full)
        #expect(outcome.status == 74)
        #expect(outcome.standardError.hasPrefix("protoc-gen-rocket: "))
    }

    /// Runs the plugin without protoc.
    private func run(
        _ input: [UInt8], arguments: [String] = [], output: FileHandle = .nullDevice
    ) throws -> Protoc.Outcome {
        let process = Process()
        process.executableURL = try plugin
        process.arguments = arguments
        let (standardInput, standardError) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = standardError
        try process.run()
        try standardInput.fileHandleForReading.close()
        if !input.isEmpty {
            try standardInput.fileHandleForWriting.write(contentsOf: Data(input))
        }
        try standardInput.fileHandleForWriting.close()
        let text = standardError.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Protoc.Outcome(
            status: process.terminationStatus, standardError: String(decoding: text, as: UTF8.self))
    }

    @Test("Reports problems through protoc")
    func reportsThroughProtoc() throws {
        try run("syntax = \"proto3\"; message M {}\nservice S { rpc _(M) returns (M); }") {
            #expect($0.status == 1)
            #expect(
                $0.standardError == "--rocket_out: a.proto:2:13: method 'S._' has no valid name in "
                    + "Swift\n")
            #expect(!FileManager.default.fileExists(atPath: $1.path()))
        }
    }
}
