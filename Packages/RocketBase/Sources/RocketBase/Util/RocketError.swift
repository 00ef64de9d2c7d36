/// Something that failed in the framework: with which code, what happened, why, and about what.
///
/// In the RPC layer it is named `RPCError`: what a handler throws to answer with a code of its
/// own, and the only thing that a call on a channel throws.
public struct RocketError: Error, Sendable, CustomStringConvertible {
    /// What it was about, as `method=Order.makeOrder`.
    public struct Context: Hashable, Sendable {
        /// As `method`, `peer`.
        public let key: String
        /// Its value, for people.
        public let value: String
    }

    /// What went wrong, as it stands on the wire.
    public let code: RPCErrorCode
    /// For people: what happened. Of a call it travels as err_info.
    public let message: String
    /// The error underneath, if any. Stays on this side of the wire.
    public let cause: (any Error)?
    /// What it was about, in the order in which it was learnt; each key once. Stays here too.
    public private(set) var context: [Context] = []

    /// - Parameter message: one sentence without a full stop.
    public init(_ code: RPCErrorCode, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// What is known under `key`; empty where nothing is.
    public func context(_ key: String) -> String {
        context.first { $0.key == key }?.value ?? ""
    }

    /// The same with one more piece of context, unless the key is known already or the value empty.
    public func adding(_ key: String, _ value: String) -> RocketError {
        guard !value.isEmpty, context(key).isEmpty else { return self }
        var copy = self
        copy.context.append(Context(key: key, value: value))
        return copy
    }

    /// `ERROR_RPC_CALL_TIMEOUT: no reply in time (method=Order.makeOrder peer=127.0.0.1:80)`.
    public var description: String {
        var text = "\(code.name): \(message)"
        if let cause { text += ": \(cause)" }
        if context.isEmpty { return text }
        let pairs = context.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        return text + " (\(pairs))"
    }
}
