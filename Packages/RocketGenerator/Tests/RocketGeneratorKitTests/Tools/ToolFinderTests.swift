import Foundation
import Testing

@testable import RocketGeneratorKit

@Suite("Finder of tools")
struct ToolFinderTests {
    private func withTool(_ path: String, _ body: (String) throws -> Void) throws {
        let folder = try TemporaryFolder()
        let file = "\(folder.path)/\(path)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(
            atPath: file, contents: Data("#!/bin/sh\n".utf8), attributes: [.posixPermissions: 0o755]
        )
        try body(folder.path)
    }

    @Test("Explains how to install a missing protoc")
    func noProtoc() {
        let finder = ToolFinder(environment: ["PATH": "/nowhere"], programFolder: "/nowhere")
        let failure = #expect(throws: GeneratorFailure.self) { try finder.protoc() }
        #expect(failure?.description.contains("apt-get install protobuf-compiler") == true)
    }

    @Test("Uses the program in PROTOC, and rejects one that cannot run")
    func named() throws {
        try withTool("my-protoc") { folder in
            let finder = ToolFinder(
                environment: ["PROTOC": "\(folder)/my-protoc"], programFolder: "/")
            let found = try finder.protoc()
            #expect(found == "\(folder)/my-protoc")
            let other = ToolFinder(environment: ["PROTOC": "\(folder)/no"], programFolder: "/")
            #expect(throws: GeneratorFailure.self) { try other.protoc() }
        }
    }

    @Test(
        "Finds protoc-gen-swift beside the program, in lib/rocket, or in PATH",
        arguments: ["bin/protoc-gen-swift", "lib/rocket/protoc-gen-swift", "x/protoc-gen-swift"])
    func plugin(path: String) throws {
        try withTool(path) { folder in
            try FileManager.default.createDirectory(
                atPath: "\(folder)/bin", withIntermediateDirectories: true)
            let finder = ToolFinder(
                environment: ["PATH": "\(folder)/x"], programFolder: "\(folder)/bin")
            let found = URL(fileURLWithPath: try finder.swiftPlugin()).standardizedFileURL.path
            #expect(found == "\(folder)/\(path)")
        }
    }

    @Test("Reports a missing plugin")
    func noPlugin() {
        let finder = ToolFinder(environment: [:], programFolder: "/nowhere")
        let failure = #expect(throws: GeneratorFailure.self) { try finder.swiftPlugin() }
        #expect(failure?.description.contains("protoc-gen-swift") == true)
    }
}
