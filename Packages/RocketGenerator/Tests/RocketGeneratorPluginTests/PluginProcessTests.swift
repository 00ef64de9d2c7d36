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

    @Test("Reports problems through protoc")
    func reportsThroughProtoc() throws {
        try run("syntax = \"proto3\"; message M {}\nservice S { rpc go(M) returns (stream M); }") {
            #expect($0.status == 1)
            #expect(
                $0.standardError == "--rocket_out: a.proto:2:13: method 'S.go' streams its "
                    + "responses: Rocket has only unary methods\n")
            #expect(!FileManager.default.fileExists(atPath: $1.path()))
        }
    }
}
