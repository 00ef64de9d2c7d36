import RocketBase
import RocketCodec

/// The field `grpc-status-details-bin`: a google.rpc.Status in base64.
enum StatusDetails {
    static let name = "grpc-status-details-bin"
    static let field: StaticString = "grpc-status-details-bin"

    /// The value for the details of a status; nil: it has none.
    static func encode(_ status: ErrorStatus) -> String? {
        if status.details.isEmpty { return nil }
        var plain = status
        plain.trailingMetadata = [:]
        var bytes = ByteBuffer()
        guard (try? plain.write(to: &bytes)) != nil else { return nil }
        var metadata = Metadata()
        metadata[bytes: name] = bytes.copyBytes()
        return metadata[name]
    }

    /// Appends the pb_data of an error reply: the details of `value`, and the trailing metadata.
    ///
    /// - Parameter lines: the lines of a metadata block. Nothing is appended where neither has
    ///   anything.
    static func append(
        _ value: String?, code: RPCErrorCode, text: String, lines: [UInt8],
        to buffer: inout ByteBuffer
    ) {
        var status = ErrorStatus(code: Int32(code.grpcStatus), message: text)
        if let value {
            var metadata = Metadata()
            metadata[name] = value
            if let bytes = metadata[bytes: name],
                // SAFETY: the array lives, unchanged, until read returns.
                let read = unsafe ErrorStatus.read(bytes.span.bytes)
            {
                status.details = read.details
            }
        }
        if !lines.isEmpty {
            var block = ByteBuffer()
            MetadataHeaders.appendStart(to: &block)
            block.append(lines)
            status.trailingMetadata = block.withBytes { MetadataBlock.read($0) } ?? [:]
        }
        if status.details.isEmpty, status.trailingMetadata.isEmpty { return }
        // What is longer than the RPC side takes is left out, as on TinyPB.
        try? status.write(to: &buffer)
    }
}
