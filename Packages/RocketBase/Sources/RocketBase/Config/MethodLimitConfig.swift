/// A method's own limits on its calls, as an element of `server/method_limits`.
public struct MethodLimitConfig: Hashable, Sendable {
    /// The method's full name: `shop.v1.Order.makeOrder`.
    public var method: String
    /// The longest serialized request, in bytes; 0: what a frame holds; nil: as the server's.
    public var maxRequestBytes: Int?
    /// The longest serialized response, in bytes; 0: what a frame holds; nil: as the server's.
    public var maxResponseBytes: Int?
    /// How long its handler may run; 0: as long as the caller waits; nil: as the server's.
    public var maxHandlerTime: Duration?

    /// A method with no limits of its own.
    public init(method: String) { self.method = method }
}

extension ConfigType where Value == MethodLimitConfig {
    /// A method's name, then `NAME=VALUE` with blanks between them.
    static var methodLimit: Self {
        Self(
            allowed: "Service.method and then max_request_bytes=N, max_response_bytes=N or "
                + "max_handler_time_ms=N with blanks between them",
            parse: read, text: write)
    }

    private static let bytes = ConfigType<Int>.bytes(0...1_073_741_824)
    private static let time = ConfigType<Duration>.milliseconds(0...86_400_000)

    private static func read(_ text: String) -> MethodLimitConfig? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let name = words.first, words.count > 1, isMethodName(name) else { return nil }
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

    private static func isMethodName(_ name: Substring) -> Bool {
        guard let dot = name.lastIndex(of: ".") else { return false }
        return dot != name.startIndex && name.index(after: dot) != name.endIndex
    }

    private static func write(_ limit: MethodLimitConfig) -> String {
        var text = limit.method
        if let count = limit.maxRequestBytes { text += " max_request_bytes=\(count)" }
        if let count = limit.maxResponseBytes { text += " max_response_bytes=\(count)" }
        if let span = limit.maxHandlerTime { text += " max_handler_time_ms=\(time.text(span))" }
        return text
    }
}
