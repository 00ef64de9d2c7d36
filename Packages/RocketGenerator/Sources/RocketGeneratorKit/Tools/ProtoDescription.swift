import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// A .proto file and all that it imports, as protoc described them.
struct ProtoDescription {
    let files: [Google_Protobuf_FileDescriptorProto]
    private let roots: [String]

    init(_ set: Google_Protobuf_FileDescriptorSet, roots: [String]) {
        files = set.file
        self.roots = roots
    }

    /// The file itself: protoc writes it last, behind what it needs.
    var main: String { files.last?.name ?? "" }

    /// All but those that come with swift-protobuf.
    var ownFiles: [String] {
        files.map(\.name).filter { !SwiftProtobufInfo.bundledProtoFiles.contains($0) }
    }

    /// The file itself, with its services.
    var mainDescriptor: FileDescriptor? {
        DescriptorSet(protos: files).fileDescriptor(named: main)
    }

    /// The texts of its files, as they are called among themselves.
    func texts() throws(GeneratorFailure) -> [(path: String, text: String)] {
        try ownFiles.map { name throws(GeneratorFailure) in
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

/// What occurs more than once.
enum FirstDouble {
    static func of(_ names: [String]) -> String? {
        var seen: Set<String> = []
        return names.first { !seen.insert($0).inserted }
    }
}
