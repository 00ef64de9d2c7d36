import FoundationEssentials
import RocketGeneratorPlugin
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Runs the installed protoc to parse .proto files and to generate Swift from them.
struct ProtoCompiler {
    private let tools: ToolFinder
    private let inputs: ProtoInputs
    private static let options = "Visibility=Public,FileNaming=PathToUnderscores"

    init(_ paths: [String], importPaths: [String], tools: ToolFinder) throws(GeneratorFailure) {
        self.tools = tools
        inputs = try ProtoInputs(paths, importPaths: importPaths)
    }

    /// Returns protoc's descriptors of the files and their imports.
    ///
    /// - Throws: `GeneratorFailure` with protoc's error messages.
    func describe() throws(GeneratorFailure) -> ProtoDescription {
        let folder = try TemporaryFolder()
        let set = folder.path + "/set"
        try run(
            ["--descriptor_set_out=\(set)", "--include_imports", "--include_source_info"]
                + inputs.paths)
        do {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: set))
            return ProtoDescription(
                try DescriptorReader.set([UInt8](bytes)), mains: inputs.names, roots: inputs.roots)
        } catch let failure as GenerationFailure {
            throw GeneratorFailure(
                "no project can be generated from \(inputs.list)",
                details: failure.description.split(separator: "\n").map(String.init))
        } catch {
            throw GeneratorFailure("protoc's descriptors of \(inputs.list) can't be read: \(error)")
        }
    }

    /// Generates the messages of all files and the services of the given files.
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
        request.fileToGenerate = description.mains
        request.parameter = Self.options
        let response = generateCode(request: request, generator: ServiceGenerator())
        guard !response.hasError else {
            throw GeneratorFailure(
                "no services can be generated from \(inputs.list)",
                details: response.error.split(separator: "\n").map(String.init))
        }
        let described = description.mainDescriptors.filter { !$0.services.isEmpty }
        return zip(response.file, described).map {
            GeneratedSource(name: $0.name, text: $0.content, proto: $1.name)
        }
    }

    private func run(_ arguments: [String]) throws(GeneratorFailure) {
        let protoc = try tools.protoc()
        let outcome = try ToolRun(protoc, inputs.roots.map { "--proto_path=\($0)" } + arguments)
        guard outcome.status == 0 else {
            throw GeneratorFailure(
                "protoc rejects \(inputs.list)\(hint(outcome.errors, protoc))",
                details: outcome.errors)
        }
    }

    /// Returns what the user can do about errors whose cause protoc does not name.
    private func hint(_ errors: [String], _ protoc: String) -> String {
        let files = errors.compactMap { $0.split(separator: ":").first.map(String.init) }
        if let file = files.first(where: { inputs.text(of: $0).map(Editions.isUsed) == true }),
            errors.contains(where: { $0.contains("Expected top-level statement") })
        {
            return
                ": \(file) uses editions, for which \(protoc) is too old: set PROTOC to the path of "
                + "protoc 27 or newer"
        }
        if errors.contains(where: { $0.contains("not found") }) {
            return ": imports are searched in \(inputs.roots.joined(separator: " and ")) "
                + "(-I adds a folder)"
        }
        return ""
    }
}

/// Finds .proto files that use editions.
enum Editions {
    /// Whether the text declares an edition in place of a syntax.
    static func isUsed(by text: String) -> Bool {
        text.firstMatch(of: /(?m)^\s*edition\s*=/) != nil
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
