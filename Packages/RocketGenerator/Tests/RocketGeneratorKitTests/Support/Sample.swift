import Foundation
import SwiftProtobufPluginLibrary

@testable import RocketGeneratorKit

/// Projects for tests, parsed by the installed protoc.
enum Sample {
    static let order = """
        syntax = "proto3";
        message makeOrderRequest { int32 price = 1; string goods = 2; }
        message makeOrderResponse { int32 ret_code = 1; string res_info = 2; string order_id = 3; }
        service Order {
          // Makes one order.
          rpc makeOrder(makeOrderRequest) returns (makeOrderResponse);
        }
        """

    /// Returns the project of a .proto file.
    static func project(
        _ text: String, name: String = "order", old: [MethodRecord.Entry] = []
    ) throws -> ProjectModel {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/\(name).proto"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let description = try ProtoCompiler(path, importPaths: [], tools: ToolFinder()).describe()
        guard let file = description.mainDescriptor else { throw GeneratorFailure("no file") }
        return try ProjectReader(
            name: ProjectName(name), port: 12345, rocket: .folder("/rocket"), old: old
        ).read(file)
    }

    /// Returns the files of a project without the code of its messages.
    static func files(_ project: ProjectModel, proto: String = "proto") -> [ProjectFile] {
        let pb = GeneratedSource(name: "order.pb.swift", text: "// pb\n", proto: "order.proto")
        return ProjectTree(
            project: project, protos: [("order.proto", proto)], generated: [pb]
        ).files
    }

    /// Returns the content of the disk after the files were written.
    static func written(_ files: [ProjectFile]) -> [String: String] {
        Dictionary(files.map { ($0.path, $0.text) }, uniquingKeysWith: { first, _ in first })
    }
}
