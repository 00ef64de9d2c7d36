import Foundation
import RocketGeneratorPlugin
import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

/// Runs the installed protoc for tests.
enum Protoc {
    /// Result of a run of protoc.
    struct Outcome {
        let status: Int32
        let standardError: String
    }

    /// Generates code for .proto files that are given as path and text, in this order. Only protoc's
    /// parser runs as a process; the generator runs in this one.
    static func generate(
        _ protos: KeyValuePairs<String, String>, options: String = "Visibility=Public"
    ) throws -> Google_Protobuf_Compiler_CodeGeneratorResponse {
        try withTemporaryFolder { folder in
            for (path, text) in protos { try write(text, to: folder.appending(path: path)) }
            return try generate(protos.map(\.key), from: folder, options: options)
        }
    }

    /// Generates code for files in `folder`.
    static func generate(
        _ paths: [String], from folder: URL, options: String
    ) throws -> Google_Protobuf_Compiler_CodeGeneratorResponse {
        try withTemporaryFolder { work in
            let set = work.appending(path: "set")
            let outcome = try run(
                [
                    "--proto_path=\(folder.path())", "--descriptor_set_out=\(set.path())",
                    "--include_imports", "--include_source_info",
                ] + paths)
            try #require(outcome.status == 0, "\(outcome.standardError)")
            var request = Google_Protobuf_Compiler_CodeGeneratorRequest()
            let files = try Google_Protobuf_FileDescriptorSet(
                serializedBytes: Data(contentsOf: set))
            request.protoFile = files.file
            request.fileToGenerate = paths
            request.parameter = options
            return generateCode(request: request, generator: ServiceGenerator())
        }
    }

    /// Runs protoc to its end.
    static func run(_ arguments: [String]) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["protoc"] + arguments
        let standardError = Pipe()
        process.standardError = standardError
        try process.run()
        let text = standardError.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, standardError: String(decoding: text, as: UTF8.self))
    }

    /// Runs `body` with a new folder and deletes the folder afterwards.
    static func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "rocket-generator-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }

    /// Writes a file and creates its folders.
    static func write(_ text: String, to file: URL) throws {
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }
}

extension Google_Protobuf_Compiler_CodeGeneratorResponse {
    /// Text of the only generated file.
    var onlyContent: String {
        get throws {
            try #require(!hasError, "\(error)")
            try #require(file.count == 1)
            return file[0].content
        }
    }
}
