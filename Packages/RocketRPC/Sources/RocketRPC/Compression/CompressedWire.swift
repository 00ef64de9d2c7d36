import RocketBase
import RocketCodec
import RocketReactor

/// Makes the connections of TinyPB with compression, of a server or a channel. Any thread.
final class CompressedWire: WireProtocol {
    let compression: any MessageCompression
    let encodings: CompressionEncodings
    let thresholdBytes: Int

    init(_ compression: any MessageCompression, _ thresholdBytes: Int) {
        self.compression = compression
        encodings = CompressionEncodings(compression.encodings)
        self.thresholdBytes = max(0, thresholdBytes)
    }

    var name: String { "TinyPB with compression" }

    /// TinyPB has no name in ALPN.
    var applicationProtocols: [String] { [] }

    /// Whether the first frame asks for compressed replies, in an encoding that this side has.
    func matches(_ bytes: RawSpan) -> WireMatch {
        switch FrameHead.info(of: bytes) {
        case .needMore: .needMore
        case .none: .no
        case .found(let info): encodings.accepted(by: bytes.extracting(info)) == nil ? .no : .yes
        }
    }

    func makeHandler(
        for rpc: any TransportHandler, settings: WireSettings, on reactor: Reactor
    ) -> any TransportHandler {
        CompressedConnection(self, .server, for: rpc, settings, on: reactor)
    }
}

/// Opens connections of TinyPB with compression over those of another connector.
struct CompressedConnector: Connector {
    let base: any Connector
    let wire: CompressedWire
    let settings: WireSettings

    var peerIsKnown: Bool { base.peerIsKnown }
    var attemptsKey: String? { base.attemptsKey }

    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        base.connect(
            index: index, on: reactor, timeout: timeout,
            handler: CompressedConnection(wire, .channel, for: handler, settings, on: reactor),
            failed: failed)
    }
}

/// Finds the err_info of a frame that has not arrived as a whole.
enum FrameHead {
    case needMore
    /// The bytes are no frame, or its err_info is no metadata.
    case none
    case found(Range<Int>)

    static func info(of bytes: RawSpan) -> FrameHead {
        guard bytes.byteCount > 0 else { return .needMore }
        guard bytes.byte(0) == 0x02 else { return .none }
        guard let id = field(bytes, at: 5) else { return .needMore }
        guard id.count <= TinyPBCodec.peerSafeMessageIDBytes else { return .none }
        guard let name = field(bytes, at: id.upperBound) else { return .needMore }
        guard name.count <= TinyPBCodec.peerSafeMethodNameBytes else { return .none }
        guard bytes.byteCount >= name.upperBound + 4 else { return .needMore }
        guard bytes.integer(name.upperBound) == 0 else { return .none }
        guard let info = field(bytes, at: name.upperBound + 4) else { return .needMore }
        guard info.count <= MetadataBlock.announcedLimitBytes else { return .none }
        return info.upperBound <= bytes.byteCount ? .found(info) : .needMore
    }

    /// The field whose length is at an offset; nil: the length has not arrived. Lengths below 0 are
    /// too long for each field.
    private static func field(_ bytes: RawSpan, at offset: Int) -> Range<Int>? {
        guard bytes.byteCount >= offset + 4 else { return nil }
        let count = Int(bytes.integer(offset))
        return offset + 4..<offset + 4 + count
    }
}
