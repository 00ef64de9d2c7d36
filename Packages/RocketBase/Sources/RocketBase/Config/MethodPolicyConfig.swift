/// What is different for the calls of one method: an element of `stubs/rpc_server/method_policies`.
public struct MethodPolicyConfig: Hashable, Sendable {
    /// The full name of the method: `shop.v1.Order.makeOrder`.
    public var method: String
    /// The timeout of a call, unless the caller sets one; nil: the stub's.
    public var timeout: Duration?
    /// The largest number of attempts per call; nil: the stub's.
    public var maxAttempts: Int?
    /// Whether it is safe to process a call twice; nil: as the caller says.
    public var isIdempotent: Bool?
    /// Whether idempotent calls are sent to a second server, when the first does not reply in time;
    /// nil: they are not.
    public var hedges: Bool?

    /// A method without a difference.
    public init(method: String) { self.method = method }

    /// The first method that occurs twice.
    static func repeated(in policies: [Self]) -> String? {
        var known: Set<String> = []
        return policies.first { !known.insert($0.method).inserted }?.method
    }
}

extension ConfigType where Value == MethodPolicyConfig {
    /// A method name, followed by `NAME=VALUE` pairs, separated by blanks.
    static var methodPolicy: Self {
        Self(
            allowed: "Service.method, followed by timeout_ms=N, max_attempts=N, idempotent=BOOL or "
                + "hedge=BOOL, separated by blanks",
            parse: read, text: write)
    }

    private static let time = ConfigType<Duration>.milliseconds(1...86_400_000)
    private static let attempts = ConfigType<Int>.integer(1...100)
    private static let bool = ConfigType<Bool>.boolean

    private static func read(_ text: String) -> MethodPolicyConfig? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let name = words.first, words.count > 1, name.isMethodName else { return nil }
        var policy = MethodPolicyConfig(method: String(name))
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let value = String(parts[1])
            switch parts[0] {
            case "timeout_ms" where policy.timeout == nil:
                guard let parsed = time.parse(value) else { return nil }
                policy.timeout = parsed
            case "max_attempts" where policy.maxAttempts == nil:
                guard let parsed = attempts.parse(value) else { return nil }
                policy.maxAttempts = parsed
            case "idempotent" where policy.isIdempotent == nil:
                guard let parsed = bool.parse(value) else { return nil }
                policy.isIdempotent = parsed
            case "hedge" where policy.hedges == nil:
                guard let parsed = bool.parse(value) else { return nil }
                policy.hedges = parsed
            default: return nil
            }
        }
        return policy
    }

    private static func write(_ policy: MethodPolicyConfig) -> String {
        var text = policy.method
        if let span = policy.timeout { text += " timeout_ms=\(time.text(span))" }
        if let count = policy.maxAttempts { text += " max_attempts=\(count)" }
        if let isIdempotent = policy.isIdempotent {
            text += " idempotent=\(bool.text(isIdempotent))"
        }
        if let hedges = policy.hedges { text += " hedge=\(bool.text(hedges))" }
        return text
    }
}

extension Substring {
    /// Whether it is `Service.method`, with any number of dots.
    var isMethodName: Bool {
        guard let dot = lastIndex(of: ".") else { return false }
        return dot != startIndex && index(after: dot) != endIndex
    }
}
