import RocketBase
import RocketCodec

/// Collects the header fields of a request, and says what they ask for. Reused for every request of
/// a connection: HTTP/2 sends the fields of one request without others in between.
struct RequestHead: ~Copyable {
    /// How a request is answered whose fields are invalid.
    enum Refusal: Hashable, Sendable {
        /// By this HTTP status alone: the client speaks neither gRPC nor Connect.
        case http(Int)
        /// By a status of gRPC, or an error of Connect.
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
    /// What is Connect's of it.
    private var connectFields = ConnectFields()
    /// Whether requests of Connect are served.
    private let servesConnect: Bool
    private let encodings: MessageEncodings
    private var isPost = false
    private var isTrailersAccepted = false
    private var isGRPC = false
    private var hasScheme = false
    private var failure: WireFailure?
    /// What is wrong with a field that only gRPC has.
    private var grpcFailure: WireFailure?
    /// The value of grpc-timeout, or connect-timeout-ms.
    private(set) var timeoutMilliseconds: Int64?
    /// The fields that are metadata, as lines without the start of a block.
    private var lines = ByteBuffer()

    init(_ encodings: MessageEncodings, servesConnect: Bool = false) {
        self.encodings = encodings
        self.servesConnect = servesConnect
    }

    /// Set if the request is one of Connect, as far as its fields have come.
    var connect: ConnectContentType? { servesConnect && !isGRPC ? connectFields.type : nil }

    /// What the responses are compressed by.
    var responseEncoding: MessageEncoding {
        connect == nil ? accepted.best : connectFields.responseEncoding
    }

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
        grpcFailure = nil
        timeoutMilliseconds = nil
        if servesConnect { connectFields.begin() }
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
            if !isGRPC, servesConnect { connectFields.setType(value) }
        case UInt8(ascii: "t") where name.equals("te"):
            isTrailersAccepted = value.equals("trailers")
        case UInt8(ascii: "a"), UInt8(ascii: "c"):
            if servesConnect, ConnectFields.isField(name) {
                addConnect(name, value)
            } else {
                addMetadata(name, value)
            }
        default: addMetadata(name, value)
        }
    }

    private mutating func addMetadata(_ name: RawSpan, _ value: RawSpan) {
        if lines.readableBytes + name.byteCount + value.byteCount <= Self.mostLineBytes {
            MetadataHeaders.append(name, value, to: &lines)
            if lines.readableBytes <= Self.mostLineBytes { return }
        }
        fail(Self.tooMuchMetadata)
    }

    private mutating func addConnect(_ name: RawSpan, _ value: RawSpan) {
        if !connectFields.add(name, value, encodings, atMost: Self.mostLineBytes) {
            fail(Self.tooMuchMetadata)
        }
    }

    private static var tooMuchMetadata: WireFailure {
        WireFailure(
            .resourceExhausted,
            "the metadata has more than \(mostLineBytes) bytes as a metadata block")
    }

    private mutating func addPseudo(_ name: RawSpan, _ value: RawSpan) {
        if name.equals(":path") {
            addPath(value)
        } else if name.equals(":method") {
            isPost = value.equals("POST")
        } else if name.equals(":scheme") {
            hasScheme = value.equals("http") || value.equals("https")
        }
    }

    private mutating func addPath(_ path: RawSpan) {
        methodName.removeAll()
        do throws(WireFailure) {
            try MethodPath.appendName(of: path, to: &methodName)
        } catch { fail(error) }
    }

    /// Takes the line of a request of HTTP/1.1, which has no pseudo header fields.
    mutating func addRequestLine(method: RawSpan, path: RawSpan) {
        isPost = method.equals("POST")
        addPath(path)
    }

    private mutating func addGRPC(_ name: RawSpan, _ value: RawSpan) {
        if name.equals("grpc-timeout") {
            timeoutMilliseconds = GRPCTimeout.milliseconds(value)
            if timeoutMilliseconds == nil {
                failGRPC(WireFailure(.internal, "the grpc-timeout '\(value.excerpt)' is invalid"))
            }
        } else if name.equals("grpc-encoding") {
            if let known = encodings.find(value) {
                encoding = known
            } else {
                failGRPC(
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
    private mutating func failGRPC(_ new: WireFailure) {
        if grpcFailure == nil { grpcFailure = new }
    }

    /// Ends the request's fields.
    ///
    /// - Returns: how the request is refused; nil if its fields are valid.
    mutating func end() -> Refusal? {
        if !isPost { return .http(405) }
        if !isGRPC { return endConnect() }
        if let grpcFailure { fail(grpcFailure) }
        if !connectFields.lines.isEmpty { addConnectLines() }
        if !hasScheme { fail(WireFailure(.internal, "the :scheme is neither http nor https")) }
        if !isTrailersAccepted {
            fail(WireFailure(.internal, "the field 'te: trailers' is missing: a proxy removed it"))
        }
        return failure.map { .status($0) }
    }

    private mutating func endConnect() -> Refusal? {
        if connect == nil { return .http(415) }
        timeoutMilliseconds = connectFields.timeoutMilliseconds
        encoding = connectFields.encoding
        return (failure ?? connectFields.failure).map { .status($0) }
    }

    /// In gRPC these fields are metadata.
    private mutating func addConnectLines() {
        if lines.readableBytes + connectFields.lines.readableBytes > Self.mostLineBytes {
            return fail(Self.tooMuchMetadata)
        }
        // SAFETY: two separate buffers, whose memory does not overlap.
        unsafe connectFields.lines.withUnsafeBytes { unsafe lines.append($0) }
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
