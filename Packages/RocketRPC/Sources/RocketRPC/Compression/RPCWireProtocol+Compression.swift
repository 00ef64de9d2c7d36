public import RocketBase

extension RPCWireProtocol {
    /// TinyPB with compressed messages, for clients that ask for it by `accept-encoding` in the first
    /// frame of a connection; all other connections are served as without it, at the same cost. See
    /// docs/wire-format.md, "Compression".
    ///
    /// Messages of streams are compressed part by part. A call, and a handler, can switch compression
    /// off: `RPCCallOptions.compressesRequest`, `RPCController.compressesReply`.
    ///
    /// - Parameters:
    ///   - compression: which encodings, best first. A request may have at most the frame limit of the
    ///     server's codec once it is decompressed.
    ///   - thresholdBytes: replies below it are sent as they are. At least 0; default 1 KiB.
    public static func tinyPB(
        compression: any MessageCompression, above thresholdBytes: Int = 1024
    ) -> RPCWireProtocol {
        RPCWireProtocol(CompressedWire(compression, thresholdBytes))
    }
}

extension RPCChannelProtocol {
    /// TinyPB with compressed messages, where the server takes them: a channel asks for compressed
    /// replies, and compresses requests once a reply has said that the server reads them. See
    /// docs/wire-format.md, "Compression".
    ///
    /// - Parameters:
    ///   - compression: which encodings, best first. A reply may have at most the frame limit of the
    ///     channel's codec once it is decompressed.
    ///   - thresholdBytes: requests below it are sent as they are. At least 0; default 1 KiB.
    public static func tinyPB(
        compression: any MessageCompression, above thresholdBytes: Int = 1024
    ) -> RPCChannelProtocol {
        let wire = CompressedWire(compression, thresholdBytes)
        return RPCChannelProtocol { CompressedConnector(base: $0, wire: wire, settings: $1) }
    }
}
