public import SwiftProtobuf
public import SwiftProtobufPluginLibrary

/// The protoc plugin: reads protoc's request and returns one `.rocket.swift` file for each .proto
/// file that has services.
///
/// The output depends on the request alone: the same request gives the same bytes. If any file has
/// a problem, nothing is generated, and protoc prints every problem with its file, line and column.
public struct ServiceGenerator: CodeGenerator {
    /// Creates a plugin, which can handle any number of requests.
    public init() {}

    /// Version that `--version` prints: the same for all programs of Rocket.
    public var version: String? { "0.1.0" }

    /// Features of .proto files that protoc may send: `optional` in proto3, and editions.
    public var supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] {
        [.proto3Optional, .supportsEditions]
    }

    /// All editions that swift-protobuf supports: an edition changes the code of messages, not that
    /// of services.
    public var supportedEditionRange: ClosedRange<Google_Protobuf_Edition> {
        DescriptorSet.bundledEditionsSupport
    }

    /// Generates the files for protoc's request; see `CodeGenerator`.
    ///
    /// - Throws: `GenerationFailure`, `GeneratorOptionError`.
    public func generate(
        files: [FileDescriptor], parameter: any CodeGeneratorParameter,
        protoCompilerContext: any ProtoCompilerContext, generatorOutputs: any GeneratorOutputs
    ) throws {
        let options = try GeneratorOptions(pairs: parameter.parsedPairs)
        let models = try ModelReader(
            mappings: options.moduleMappings, server: options.server, client: options.client
        ).read(files)
        for (model, scope) in models {
            let names = RuntimeNames(scope: scope)
            try generatorOutputs.add(
                fileName: options.fileNaming.outputPath(forProto: model.protoPath),
                contents: FileTemplate(file: model, options: options, names: names).text)
        }
    }
}

extension ServiceGenerator {
    /// Text of `protoc-gen-rocket --help`.
    static let help = """
        OVERVIEW: Generates Rocket's service protocols and clients from .proto files.

        USAGE: protoc --rocket_out=FOLDER [--rocket_opt=KEY=VALUE,…] FILE.proto

        protoc starts this program, which must be in PATH or named by --plugin=PATH. For each
        FILE.proto with services it writes FILE.rocket.swift. Compile that file together with
        FILE.pb.swift, which protoc-gen-swift writes.

        Options, each given by --rocket_opt (give both plugins the same Visibility, FileNaming and
        ProtoPathModuleMappings):
          Visibility=Public|Package|Internal       access level of the generated code (Internal)
          Server=true|false                        generate service protocols (true)
          Client=true|false                        generate client structs (true)
          Descriptors=true|false                   add the .proto files' descriptors to the service
                                                   protocols, for rocket.Reflection (true)
          ProtoPathModuleMappings=FILE             modules of imported .proto files, in
                                                   swift-protobuf's format
          FileNaming=FullPath|PathToUnderscores|DropPath
                                                   names of the generated files (FullPath)
          UseAccessLevelOnImports=true|false       write `public import` and the like (true)

        EXIT STATUS:
          0   Success. Problems of .proto files are reported by protoc, which then fails.
          64  The command line is wrong.
          65  Standard input is no request of protoc, or a .proto file is not valid UTF-8.
          74  The response can't be written.
        """
}
