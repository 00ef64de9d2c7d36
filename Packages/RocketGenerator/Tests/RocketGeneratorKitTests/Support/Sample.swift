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
        try project(["order.proto": text], name: name, old: old)
    }

    /// Returns the project of several .proto files, given as path and text.
    static func project(
        _ protos: KeyValuePairs<String, String>, name: String = "order",
        old: [MethodRecord.Entry] = []
    ) throws -> ProjectModel {
        try ProjectReader(
            name: ProjectName(name), port: 12345, rocket: .folder("../rocket"), old: old
        ).read(try descriptors(protos))
    }

    /// Returns the descriptors of .proto files, given as path and text.
    static func descriptors(_ protos: KeyValuePairs<String, String>) throws -> [FileDescriptor] {
        let folder = try folder(protos)
        return try ProtoCompiler(
            protos.map { "\(folder.path)/\($0.key)" }, importPaths: [folder.path],
            tools: ToolFinder()
        ).describe().mainDescriptors
    }

    /// Writes files, given as path and text, to a new folder.
    static func folder(_ files: KeyValuePairs<String, String>) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (path, text) in files {
            let file = "\(folder.path)/\(path)"
            try FileManager.default.createDirectory(
                atPath: (file as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        }
        return folder
    }

    /// Returns the files of a project without the code of its messages.
    static func files(_ project: ProjectModel, proto: String = "proto") -> [ProjectFile] {
        let pb = GeneratedSource(name: "order.pb.swift", text: "// pb\n", proto: "order.proto")
        return ProjectTree(
            project: project, protos: [("order.proto", proto)], generated: [pb]
        ).files
    }

    /// Returns the texts of files with other line ends.
    static func withCRLF(_ files: [String: String]) -> [String: String] {
        files.mapValues { LineEnds.crlf.applied(to: $0) }
    }

    /// Returns the content of the disk after the files were written.
    static func written(_ files: [ProjectFile]) -> [String: String] {
        Dictionary(files.map { ($0.path, $0.text) }, uniquingKeysWith: { first, _ in first })
    }
}
