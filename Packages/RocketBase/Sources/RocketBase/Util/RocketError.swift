/// An error of the framework, with a code, a message, a cause and context.
///
/// In the RPC layer its name is `RPCError`: a handler throws it to reply with a code, and a call on
/// a channel throws no other type.
public struct RocketError: Error, Sendable, CustomStringConvertible {
    /// A key=value pair that describes the circumstances, such as `method=Order.makeOrder`.
    public struct Context: Hashable, Sendable {
        /// The key, such as `method` or `peer`.
        public let key: String
        /// The value, for display.
        public let value: String
    }

    /// The code on the wire.
    public let code: RPCErrorCode
    /// The message, for display. It is sent to the peer as err_info.
    public let message: String
    /// Typed details, in any number. They are sent to the peer where it takes them: see
    /// docs/wire-format.md, "Details of errors". Empty for most errors, which costs nothing.
    public let details: [RPCErrorDetail]
    /// The underlying error, if any. It is not sent to the peer.
    public let cause: (any Error)?
    /// The context in the order of its addition, with unique keys. It is not sent to the peer.
    public private(set) var context: [Context] = []

    /// - Parameters:
    ///   - code: the code on the wire.
    ///   - message: one sentence without a full stop.
    ///   - details: typed details for the caller; on TinyPB at most 8192 bytes in total, or they are
    ///     left out.
    ///   - cause: the underlying error, if any.
    public init(
        _ code: RPCErrorCode, _ message: String, details: [RPCErrorDetail] = [],
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.details = details
        self.cause = cause
    }

    /// Returns the context value of `key`; empty when there is none.
    public func context(_ key: String) -> String {
        context.first { $0.key == key }?.value ?? ""
    }

    /// Returns a copy with an additional context value, unless the key exists or the value is
    /// empty.
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
