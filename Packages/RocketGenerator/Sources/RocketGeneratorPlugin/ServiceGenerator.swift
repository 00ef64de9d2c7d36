public import SwiftProtobuf
public import SwiftProtobufPluginLibrary

/// The plugin itself: reads protoc's request and answers with one `.rocket.swift` file for each
/// .proto file that has services.
///
/// The same request always gives the same answer, byte for byte. Where anything is wrong nothing
/// is generated, and protoc prints all that is wrong, each with its file, line and column.
public struct ServiceGenerator: CodeGenerator {
    /// Makes a plugin; one serves any number of requests.
    public init() {}

    /// What --version says: that of all Rocket's programs.
    public var version: String? { "0.1.0" }

    /// What protoc may send: `optional` in proto3, and editions.
    public var supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] {
        [.proto3Optional, .supportsEditions]
    }

    /// Editions change how messages are made; services are the same in all of them.
    public var supportedEditionRange: ClosedRange<Google_Protobuf_Edition> {
        DescriptorSet.bundledEditionsSupport
    }

    /// Answers protoc's request; see `CodeGenerator`.
    ///
    /// - Throws: `GenerationFailure`, `GeneratorOptionError`.
    public func generate(
        files: [FileDescriptor], parameter: any CodeGeneratorParameter,
        protoCompilerContext: any ProtoCompilerContext, generatorOutputs: any GeneratorOutputs
    ) throws {
        let options = try GeneratorOptions(pairs: parameter.parsedPairs)
        let models = try ModelReader(mappings: options.moduleMappings).read(files)
        for (model, scope) in models {
            let names = RuntimeNames(scope: scope)
            try generatorOutputs.add(
                fileName: options.fileNaming.outputPath(forProto: model.protoPath),
                contents: FileTemplate(file: model, options: options, names: names).text)
        }
    }
}
