import RocketBase
import RocketHTTP2

/// The header fields of the error that was sent last: under overload most calls fail with the same
/// one, whose fields are then neither encoded nor allocated again. A value.
struct PreparedFailure: ~Copyable {
    private var code: Int32 = 0
    private var text = ByteBuffer()
    private(set) var headers = HTTP2Headers()

    /// Whether `headers` are those of an error.
    ///
    /// - Parameters:
    ///   - code: that of the RPC side, not 0.
    ///   - text: as in its frame.
    func isFor(_ code: Int32, _ text: RawSpan) -> Bool {
        code == self.code && self.text.withBytes { $0.equals(text) }
    }

    /// Replaces the error.
    mutating func set(_ code: Int32, _ text: RawSpan, _ headers: HTTP2Headers) {
        self.code = code
        self.text.removeAll()
        self.text.append(text)
        self.headers = headers
    }
}
