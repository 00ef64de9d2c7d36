import Foundation
import RocketGeneratorPlugin
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Reads .proto files with the installed protoc, and has its plugins write Swift.
struct ProtoCompiler {
    private let tools: ToolFinder
    /// The .proto file, as it was given.
    private let path: String
    private static let options = "Visibility=Public,FileNaming=PathToUnderscores"
    /// Where imports are looked for; one of them holds the file.
    private let roots: [String]

    init(_ path: String, importPaths: [String], tools: ToolFinder) {
        // protoc compares paths letter by letter: all of them are absolute.
        let file = URL(fileURLWithPath: path).standardizedFileURL
        let imports = importPaths.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        let isInside = imports.contains {
            file.path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/")
        }
        self.tools = tools
        self.path = file.path
        roots = isInside ? imports : [file.deletingLastPathComponent().path] + imports
    }

    /// The file and all that it imports, as protoc describes them.
    ///
    /// - Throws: `GeneratorFailure` with protoc's own words for what is wrong.
    func describe() throws(GeneratorFailure) -> ProtoDescription {
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw GeneratorFailure("\(path) can't be read: there is no such file")
        }
        let folder = try TemporaryFolder()
        let set = folder.path + "/set"
        try run(["--descriptor_set_out=\(set)", "--include_imports", "--include_source_info", path])
        do {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: set))
            return ProtoDescription(
                try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes), roots: roots)
        } catch {
            throw GeneratorFailure("protoc's description of \(path) can't be read: \(error)")
        }
    }

    /// The messages of all files in Swift, and the services of the one that was given.
    func generate(
        _ description: ProtoDescription
    ) throws(GeneratorFailure) -> [GeneratedSource] {
        var sources: [GeneratedSource] = []
        for file in description.ownFiles { sources.append(try messages(of: file)) }
        sources += try services(description)
        if let twice = FirstDouble.of(sources.map(\.name)) {
            throw GeneratorFailure(
                "two of the .proto files would both be \(twice) in Swift: rename one of them")
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

    /// By the plugin's own code, with no process between.
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
                "no services can be made of \(description.main)",
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
            throw GeneratorFailure("protoc refuses \(path)", details: outcome.complaints)
        }
    }
}
