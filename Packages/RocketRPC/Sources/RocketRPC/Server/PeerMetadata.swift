import RocketBase
import RocketCodec

/// What one peer is known to understand of metadata. C++ peers have buffers of 512 bytes, so only a
/// peer that has sent a block itself gets a longer one, and `rocket.goaway`.
struct PeerMetadata {
    /// Whether the peer has sent a block, and so knows metadata.
    fileprivate(set) var isKnown = false
    /// Whether a reply has announced how long a block this server takes.
    fileprivate(set) var isAnnounced = false

    /// The error of a request with a longer block.
    static func tooLarge(_ bytes: Int) -> RPCError {
        RPCError(
            .resourceExhausted,
            "the metadata has \(bytes) bytes; \(MetadataBlock.announcedLimitBytes) are allowed")
    }
}

extension ServerConnection {
    /// Returns the value of `timeout-ms` in the err_info of a request.
    @inline(__always)
    func timeout(in info: RawSpan, _ context: _ServingContext) -> Int64? {
        if !metadata.isAnnounced { beforeAnnouncement(info, context) }
        return MetadataBlock.timeoutMilliseconds(info)
    }

    /// Makes the reply of this call announce the limit, if its request has a block.
    @inline(never)
    private func beforeAnnouncement(_ info: RawSpan, _ context: _ServingContext) {
        guard MetadataBlock.isBlock(info) else { return }
        metadata.isKnown = true
        context.storage.withState { state in
            context.storage.use()
            state.nextHasMetadata = true
        }
    }

    /// Writes the metadata of a reply, with this server's limit until one response has had it.
    func writeMetadata(
        _ metadata: RPCMetadata, trailing: RPCMetadata, to info: inout ByteBuffer
    ) throws(MetadataError) {
        let peer = self.metadata
        try MetadataBlock.write(
            metadata, trailing: trailing, announcesLimit: peer.isKnown && !peer.isAnnounced,
            to: &info,
            limitBytes: peer.isKnown
                ? MetadataBlock.announcedLimitBytes : MetadataBlock.defaultLimitBytes)
    }

    /// Returns the pb_data of an error reply: its details and trailing metadata. Empty if there are
    /// none, and for a peer that has not sent a block: C++ clients lose replies of 128 bytes or more.
    func status(of error: RPCError, trailing: RPCMetadata) -> [UInt8] {
        if error.details.isEmpty, trailing.isEmpty { return [] }
        guard metadata.isKnown else { return [] }
        let status = ErrorStatus(
            code: Int32(error.code.grpcStatus), message: error.message, details: error.details,
            trailingMetadata: trailing)
        var bytes = ByteBuffer()
        do {
            try status.write(to: &bytes)
        } catch {
            dispatcher.logger.throttled(.warn, "error status")?.warn(
                "an error is sent without its details and trailing metadata"
            ) { $0.add("reason", "\(error)") }
            return []
        }
        return bytes.copyBytes()
    }

    /// Records that a response with the metadata of `writeMetadata` was sent.
    func metadataSent() { metadata.isAnnounced = metadata.isKnown }
}
