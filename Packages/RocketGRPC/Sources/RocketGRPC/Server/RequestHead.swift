import RocketBase
import RocketCodec

/// Collects the header fields of a request, and says what they ask for. Reused for every request of
/// a connection: HTTP/2 sends the fields of one request without others in between.
struct RequestHead: ~Copyable {
    /// How a request is answered whose fields are invalid.
    enum Refusal: Hashable, Sendable {
        /// By this HTTP status, without one of gRPC: the client does not speak gRPC.
        case http(Int)
        /// By a status of gRPC.
        case status(WireFailure)
    }

    /// The method_name of the frame.
    private(set) var methodName = ByteBuffer()
    /// The metadata block of the frame: the time-out, if any, and the fields that are metadata.
    private(set) var block = ByteBuffer()
    /// What the messages are compressed by.
    private(set) var encoding = MessageEncoding.identity
    /// What the client takes replies in.
    private(set) var accepted = AcceptedEncodings()
    private let encodings: MessageEncodings
    private var isPost = false
    private var isTrailersAccepted = false
    private var isGRPC = false
    private var hasScheme = false
    private var failure: WireFailure?
    /// The value of grpc-timeout.
    private(set) var timeoutMilliseconds: Int64?
    /// The fields that are metadata, as lines without the start of a block.
    private var lines = ByteBuffer()

    init(_ encodings: MessageEncodings) { self.encodings = encodings }

    /// Begins a request.
    mutating func begin() {
        methodName.removeAll()
        block.removeAll()
        lines.removeAll()
        encoding = .identity
        accepted = AcceptedEncodings()
        isPost = false
        isTrailersAccepted = false
        isGRPC = false
        hasScheme = false
        failure = nil
        timeoutMilliseconds = nil
        lines.shrink(keepBytes: Self.mostLineBytes)
        block.shrink(keepBytes: Self.mostLineBytes)
    }

    /// The RPC side takes no more metadata: more is refused before memory is used for it, since HPACK
    /// makes of one byte 4 KiB, and percent-encoding 12 KiB of these.
    private static let mostLineBytes = MetadataBlock.announcedLimitBytes

    /// Takes a field.
    mutating func add(_ name: RawSpan, _ value: RawSpan) {
        if name.byteCount == 0 { return }
        switch name.byte(0) {
        case UInt8(ascii: ":"): addPseudo(name, value)
        case UInt8(ascii: "g") where name.hasPrefix("grpc-"): addGRPC(name, value)
        case UInt8(ascii: "c") where name.equals("content-type"):
            isGRPC = ContentType.isGRPC(value)
        case UInt8(ascii: "t") where name.equals("te"):
            isTrailersAccepted = value.equals("trailers")
        default: addMetadata(name, value)
        }
    }

    private mutating func addMetadata(_ name: RawSpan, _ value: RawSpan) {
        if lines.readableBytes + name.byteCount + value.byteCount <= Self.mostLineBytes {
            MetadataHeaders.append(name, value, to: &lines)
            if lines.readableBytes <= Self.mostLineBytes { return }
        }
        fail(
            WireFailure(
                .resourceExhausted,
                "the metadata has more than \(Self.mostLineBytes) bytes as a metadata block"))
    }

    private mutating func addPseudo(_ name: RawSpan, _ value: RawSpan) {
        if name.equals(":path") {
            methodName.removeAll()
            do throws(WireFailure) {
                try MethodPath.appendName(of: value, to: &methodName)
            } catch { fail(error) }
        } else if name.equals(":method") {
            isPost = value.equals("POST")
        } else if name.equals(":scheme") {
            hasScheme = value.equals("http") || value.equals("https")
        }
    }

    private mutating func addGRPC(_ name: RawSpan, _ value: RawSpan) {
        if name.equals("grpc-timeout") {
            timeoutMilliseconds = GRPCTimeout.milliseconds(value)
            if timeoutMilliseconds == nil {
                fail(WireFailure(.internal, "the grpc-timeout '\(value.excerpt)' is invalid"))
            }
        } else if name.equals("grpc-encoding") {
            if let known = encodings.find(value) {
                encoding = known
            } else {
                fail(
                    WireFailure(
                        .unimplemented,
                        "the grpc-encoding '\(value.excerpt)' is not supported; "
                            + "supported are \(encodings.text)"))
            }
        } else if name.equals("grpc-accept-encoding") {
            accepted = encodings.accepted(value)
        } else {
            addMetadata(name, value)
        }
    }

    /// Keeps the first failure.
    private mutating func fail(_ new: WireFailure) { if failure == nil { failure = new } }

    /// Ends the request's fields.
    ///
    /// - Returns: how the request is refused; nil if its fields are valid.
    mutating func end() -> Refusal? {
        if !isPost { return .http(405) }
        if !isGRPC { return .http(415) }
        if !hasScheme { fail(WireFailure(.internal, "the :scheme is neither http nor https")) }
        if !isTrailersAccepted {
            fail(WireFailure(.internal, "the field 'te: trailers' is missing: a proxy removed it"))
        }
        return failure.map { .status($0) }
    }

    /// Writes the block.
    ///
    /// - Parameters:
    ///   - stream: the kind of the stream that the frame opens: `c`, `s` or `b`; nil: none.
    ///   - window: how many bytes of messages the server may send at first.
    mutating func writeBlock(stream: StaticString? = nil, window: Int = 0) {
        block.removeAll()
        // Also without entries: it says that this peer knows metadata.
        MetadataHeaders.appendStart(to: &block)
        if let timeoutMilliseconds {
            block.append(utf8: "timeout-ms=")
            block.append(decimal: Int(timeoutMilliseconds))
            block.append(byte: UInt8(ascii: "\n"))
        }
        if let stream {
            block.append(utf8: "stream=\(stream)\nwindow=")
            block.append(decimal: window)
            block.append(byte: UInt8(ascii: "\n"))
        }
        // SAFETY: two separate buffers, whose memory does not overlap.
        unsafe lines.withUnsafeBytes { unsafe block.append($0) }
    }
}
