import RocketBase

/// What the fields of a request say that mean something in Connect's unary protocol. A value, which is
/// used again for each request of a connection.
///
/// The type of the request may come behind any of them: for a request of gRPC they are metadata, and
/// are kept as such until its fields have ended.
struct ConnectFields: ~Copyable {
    /// nil: the request is none of Connect.
    private(set) var type: ConnectContentType?
    private(set) var timeoutMilliseconds: Int64?
    /// What the body is compressed by.
    private(set) var encoding = MessageEncoding.identity
    /// Why the fields are invalid: the first reason.
    private(set) var failure: WireFailure?
    /// The best encoding of responses that accept-encoding names; nil: there is no such field.
    private var accepted: MessageEncoding?
    /// The fields as lines of metadata, for gRPC.
    private(set) var lines = ByteBuffer()

    init() {}

    /// What the response is compressed by. Without accept-encoding: as the request is.
    var responseEncoding: MessageEncoding { accepted ?? encoding }

    /// Begins a request.
    mutating func begin() {
        if lines.capacityBytes > 0 { lines.removeAll() }
        type = nil
        timeoutMilliseconds = nil
        encoding = .identity
        failure = nil
        accepted = nil
    }

    /// Takes the value of content-type.
    mutating func setType(_ value: RawSpan) { type = ConnectContentType(value) }

    /// Whether a field is not metadata of a call of Connect.
    static func isField(_ name: RawSpan) -> Bool {
        name.hasPrefix("connect-") || name.equals("content-encoding")
            || name.equals("accept-encoding")
    }

    /// Takes one of these fields.
    ///
    /// - Returns: false if `lines` would exceed `limit`.
    mutating func add(
        _ name: RawSpan, _ value: RawSpan, _ encodings: MessageEncodings, atMost limit: Int
    ) -> Bool {
        if name.equals("content-encoding") {
            setEncoding(value, encodings)
        } else if name.equals("accept-encoding") {
            if accepted == nil { accepted = Self.best(value, encodings) }
        } else if name.equals("connect-timeout-ms") {
            setTimeout(value)
        } else if name.equals("connect-protocol-version"), !value.equals("1") {
            fail(.invalidArgument, "the connect-protocol-version is '\(value.excerpt)', not 1")
        }
        if lines.readableBytes + name.byteCount + value.byteCount > limit { return false }
        MetadataHeaders.append(name, value, to: &lines)
        return lines.readableBytes <= limit
    }

    private mutating func setTimeout(_ value: RawSpan) {
        if value.byteCount <= 10, let number = value.decimal {
            timeoutMilliseconds = Int64(number)
        } else {
            fail(.invalidArgument, "the connect-timeout-ms '\(value.excerpt)' is invalid")
        }
    }

    private mutating func setEncoding(_ value: RawSpan, _ encodings: MessageEncodings) {
        if let known = encodings.find(value) {
            encoding = known
        } else {
            fail(
                .unimplemented,
                "the content-encoding '\(value.excerpt)' is not supported; "
                    + "supported are \(encodings.text)")
        }
    }

    private mutating func fail(_ code: RPCErrorCode, _ text: String) {
        if failure == nil { failure = WireFailure(code, text) }
    }

    /// The first encoding of a list that this side has: Connect's clients name the best one first. The
    /// weights of HTTP are not read, but a weight of 0 excludes.
    private static func best(_ list: RawSpan, _ encodings: MessageEncodings) -> MessageEncoding {
        if encodings.names.isEmpty { return .identity }
        var start = 0
        for index in 0...list.byteCount
        where index == list.byteCount || list.byte(index) == UInt8(ascii: ",") {
            let entry = list.extracting(list.trimmed(start..<index))
            start = index + 1
            var end = 0
            while end < entry.byteCount, entry.byte(end) != UInt8(ascii: ";") { end += 1 }
            if end < entry.byteCount, isExcluded(entry.extracting((end + 1)...)) { continue }
            let name = entry.extracting(entry.trimmed(0..<end))
            if let known = encodings.find(name) { return known }
        }
        return .identity
    }

    private static func isExcluded(_ weight: RawSpan) -> Bool {
        let text = weight.text.filter { $0 != " " }
        return text.hasPrefix("q=0") && !text.dropFirst(3).contains { $0 != "." && $0 != "0" }
    }
}
