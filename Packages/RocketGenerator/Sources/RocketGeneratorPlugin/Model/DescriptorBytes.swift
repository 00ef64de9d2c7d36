import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// A .proto file as a server with reflection shows it.
enum DescriptorBytes {
    /// The file behind all that it imports, each once, as a serialized FileDescriptorSet without
    /// comments and places in the source.
    static func of(_ file: FileDescriptor) -> [UInt8] {
        var set = Google_Protobuf_FileDescriptorSet()
        var seen: Set<String> = []
        func add(_ file: FileDescriptor) {
            guard seen.insert(file.name).inserted else { return }
            for imported in file.dependencies { add(imported) }
            set.file.append(file.extractProto())
        }
        add(file)
        // Descriptors came over the wire from protoc, so that they can be written again.
        return (try? set.serializedBytes()) ?? []
    }
}
