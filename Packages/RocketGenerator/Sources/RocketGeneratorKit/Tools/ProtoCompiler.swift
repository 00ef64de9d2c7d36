import Foundation
import RocketGeneratorPlugin
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Runs the installed protoc to parse .proto files and to generate Swift from them.
struct ProtoCompiler {
    private let tools: ToolFinder
    /// Absolute path of the .proto file.
    private let path: String
    private static let options = "Visibility=Public,FileNaming=PathToUnderscores"
    /// Absolute import paths; one of them contains the file.
    private let roots: [String]

    init(_ path: String, importPaths: [String], tools: ToolFinder) {
        // protoc compares paths as text, so all must be absolute.
        let file = URL(fileURLWithPath: path).standardizedFileURL
        let imports = importPaths.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        let isInside = imports.contains {
            file.path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/")
        }
        self.tools = tools
        self.path = file.path
        roots = isInside ? imports : [file.deletingLastPathComponent().path] + imports
    }

    /// Returns protoc's descriptors of the file and its imports.
    ///
    /// - Throws: `GeneratorFailure` with protoc's error messages.
    func describe() throws(GeneratorFailure) -> ProtoDescription {
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw GeneratorFailure("\(path) can't be read: no such file")
        }
        let folder = try TemporaryFolder()
        let set = folder.path + "/set"
        try run(["--descriptor_set_out=\(set)", "--include_imports", "--include_source_info", path])
        do {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: set))
            return ProtoDescription(
                try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes), roots: roots)
        } catch {
            throw GeneratorFailure("protoc's descriptors of \(path) can't be read: \(error)")
        }
    }

    /// Generates the messages of all files and the services of the given file.
    func generate(
        _ description: ProtoDescription
    ) throws(GeneratorFailure) -> [GeneratedSource] {
        var sources: [GeneratedSource] = []
        for file in description.projectFiles { sources.append(try messages(of: file)) }
        sources += try services(description)
        if let twice = FirstDuplicate.of(sources.map(\.name)) {
            throw GeneratorFailure(
                "two .proto files would both generate \(twice): rename one of them")
        }
        return sources
    }

    private func messages(of file: String) throws(GeneratorFailure) -> GeneratedSource {
        let folder = try TemporaryFolder()
        try run([
            "--plugin=protoc-gen-swift=\(try tools.swiftPlugin())", "--swift_out=\(folder.path)",
            "--swift_opt=\(Self.options),UseAccessLevelOnImports=true",
            file,
        ])
        let stem = file.hasSuffix(".proto") ? String(file.dropLast(6)) : file
        let name = "\(stem.replacing("/", with: "_")).pb.swift"
        do {
            let text = try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
            return GeneratedSource(name: name, text: text, proto: file)
        } catch { throw GeneratorFailure("protoc-gen-swift wrote no \(name): \(error)") }
    }

    /// Generates the services in this process, which links the plugin.
    private func services(_ description: ProtoDescription) throws(GeneratorFailure)
        -> [GeneratedSource]
    {
        var request = Google_Protobuf_Compiler_CodeGeneratorRequest()
        request.protoFile = description.files
        request.fileToGenerate = [description.main]
        request.parameter = Self.options
        let response = generateCode(request: request, generator: ServiceGenerator())
        guard !response.hasError else {
            throw GeneratorFailure(
                "no services can be generated from \(description.main)",
                details: response.error.split(separator: "\n").map(String.init))
        }
        return response.file.map {
            GeneratedSource(name: $0.name, text: $0.content, proto: description.main)
        }
    }

    private func run(_ arguments: [String]) throws(GeneratorFailure) {
        let protoc = try tools.protoc()
        let outcome = try ToolRun(protoc, roots.map { "--proto_path=\($0)" } + arguments)
        guard outcome.status == 0 else {
            throw GeneratorFailure("protoc rejects \(path)", details: outcome.errors)
        }
    }
}

/// A file that a plugin of protoc generated.
struct GeneratedSource: Equatable {
    /// Name of the file: `order.pb.swift`.
    var name: String
    var text: String
    /// The .proto file that it was generated from: `order.proto`.
    var proto: String

    init(name: String, text: String, proto: String) {
        self.name = name
        self.text = text
        self.proto = proto
    }
}
