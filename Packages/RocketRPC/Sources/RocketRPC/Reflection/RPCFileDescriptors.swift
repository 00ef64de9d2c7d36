import Foundation
import RocketBase
import SwiftProtobuf

/// The .proto files that describe a service, as generated code carries them: read only when
/// somebody asks a server with reflection.
public struct _RPCFileDescriptors: Sendable {
    private let base64: String

    /// - Parameter base64: a serialized google.protobuf.FileDescriptorSet, what is imported before
    ///   what imports it.
    public init(base64: String) { self.base64 = base64 }

    /// Of a service that was written by hand.
    public static let none = _RPCFileDescriptors(base64: "")

    /// The files.
    ///
    /// - Throws: `RPCError` INTERNAL for bytes that are no descriptors.
    func files() throws(RPCError) -> [Google_Protobuf_FileDescriptorProto] {
        guard let bytes = Data(base64Encoded: base64),
            let set = try? Google_Protobuf_FileDescriptorSet(serializedBytes: bytes)
        else { throw RPCError(.internal, "a service's file descriptors can't be read") }
        return set.file
    }
}
