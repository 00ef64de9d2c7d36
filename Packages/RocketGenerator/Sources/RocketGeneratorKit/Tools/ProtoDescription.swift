import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Descriptors of a .proto file and its imports.
struct ProtoDescription {
    let files: [Google_Protobuf_FileDescriptorProto]
    private let roots: [String]

    init(_ set: Google_Protobuf_FileDescriptorSet, roots: [String]) {
        files = set.file
        self.roots = roots
    }

    /// Name of the file itself, which protoc writes after its imports.
    var main: String { files.last?.name ?? "" }

    /// Names of all files except those that are part of swift-protobuf.
    var projectFiles: [String] {
        files.map(\.name).filter { !SwiftProtobufInfo.bundledProtoFiles.contains($0) }
    }

    /// Descriptor of the file itself, with its services.
    var mainDescriptor: FileDescriptor? {
        DescriptorSet(protos: files).fileDescriptor(named: main)
    }

    /// Reads the texts of `projectFiles`; the paths are those of their import statements.
    func texts() throws(GeneratorFailure) -> [(path: String, text: String)] {
        try projectFiles.map { name throws(GeneratorFailure) in
            for root in roots {
                let path = "\(root)/\(name)"
                if let text = try? String(contentsOfFile: path, encoding: .utf8) {
                    return (name, text)
                }
            }
            throw GeneratorFailure("\(name) can't be read as UTF-8 text")
        }
    }
}

/// Finds names that occur several times.
enum FirstDuplicate {
    /// Returns the first name that occurs again, at its second occurrence.
    static func of(_ names: [String]) -> String? {
        var seen: Set<String> = []
        return names.first { !seen.insert($0).inserted }
    }
}
