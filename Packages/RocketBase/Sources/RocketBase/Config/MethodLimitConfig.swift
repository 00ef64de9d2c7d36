/// The limits on calls of one method: an element of `server/method_limits`.
public struct MethodLimitConfig: Hashable, Sendable {
    /// The full name of the method: `shop.v1.Order.makeOrder`.
    public var method: String
    /// The largest serialized request in bytes. 0: limited by the frame only; nil: the server's
    /// limit.
    public var maxRequestBytes: Int?
    /// The largest serialized response in bytes. 0: limited by the frame only; nil: the server's
    /// limit.
    public var maxResponseBytes: Int?
    /// The longest run time of the handler. 0: limited by the caller's deadline only; nil: the
    /// server's limit.
    public var maxHandlerTime: Duration?

    /// A method without limits.
    public init(method: String) { self.method = method }
}

extension ConfigType where Value == MethodLimitConfig {
    /// A method name, followed by `NAME=VALUE` pairs, separated by blanks.
    static var methodLimit: Self {
        Self(
            allowed: "Service.method, followed by max_request_bytes=N, max_response_bytes=N or "
                + "max_handler_time_ms=N, separated by blanks",
            parse: read, text: write)
    }

    private static let bytes = ConfigType<Int>.bytes(0...1_073_741_824)
    private static let time = ConfigType<Duration>.milliseconds(0...86_400_000)

    private static func read(_ text: String) -> MethodLimitConfig? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let name = words.first, words.count > 1, name.isMethodName else { return nil }
        var limit = MethodLimitConfig(method: String(name))
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            switch (parts[0], limit) {
            case ("max_request_bytes", let old) where old.maxRequestBytes == nil:
                limit.maxRequestBytes = bytes.parse(String(parts[1]))
                if limit.maxRequestBytes == nil { return nil }
            case ("max_response_bytes", let old) where old.maxResponseBytes == nil:
                limit.maxResponseBytes = bytes.parse(String(parts[1]))
                if limit.maxResponseBytes == nil { return nil }
            case ("max_handler_time_ms", let old) where old.maxHandlerTime == nil:
                limit.maxHandlerTime = time.parse(String(parts[1]))
                if limit.maxHandlerTime == nil { return nil }
            default: return nil
            }
        }
        return limit
    }

    private static func write(_ limit: MethodLimitConfig) -> String {
        var text = limit.method
        if let count = limit.maxRequestBytes { text += " max_request_bytes=\(count)" }
        if let count = limit.maxResponseBytes { text += " max_response_bytes=\(count)" }
        if let span = limit.maxHandlerTime { text += " max_handler_time_ms=\(time.text(span))" }
        return text
    }
}
