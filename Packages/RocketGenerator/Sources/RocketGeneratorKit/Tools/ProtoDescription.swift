import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Descriptors of .proto files and their imports.
struct ProtoDescription {
    let files: [Google_Protobuf_FileDescriptorProto]
    /// Names of the files of the command line, in its order.
    let mains: [String]
    private let roots: [String]

    init(_ set: Google_Protobuf_FileDescriptorSet, mains: [String], roots: [String]) {
        files = set.file
        self.mains = mains
        self.roots = roots
    }

    /// Names of all files except those that are part of swift-protobuf.
    var projectFiles: [String] {
        files.map(\.name).filter { !SwiftProtobufInfo.bundledProtoFiles.contains($0) }
    }

    /// Descriptors of the files of the command line, with their services.
    var mainDescriptors: [FileDescriptor] {
        let set = DescriptorSet(protos: files)
        return mains.compactMap { set.fileDescriptor(named: $0) }
    }

    /// Reads the texts of `projectFiles`; the paths are those of their import statements.
    func texts() throws(GeneratorFailure) -> [(path: String, text: String)] {
        try projectFiles.map { name throws(GeneratorFailure) in
            guard let text = ProtoInputs.text(of: name, in: roots) else {
                throw GeneratorFailure("\(name) can't be read as UTF-8 text")
            }
            return (name, text)
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
