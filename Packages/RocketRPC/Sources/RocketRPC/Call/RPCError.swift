public import RocketBase

/// The failure of a call: a code, a message and a cause. A handler throws it to answer with a code
/// of its own; a call on a channel throws no other error.
public typealias RPCError = RocketError

extension RocketError {
    /// The full method name of the call; empty for an error outside a call.
    public var method: String { context("method") }
    /// The peer's address or the stub's name; empty where there is none.
    public var peer: String { context("peer") }

    func about(method: String, peer: String) -> RPCError {
        adding("method", method).adding("peer", peer)
    }
}

/// A refusal by the rules of the service, thrown by a handler.
///
/// The caller gets a normal response where the response message has the fields `int32 ret_code` and
/// `string res_info`, neither of them repeated nor in a oneof: a new message with these two set.
/// Generated code sets them. In all other cases, which include every service that is written
/// without generated methods, the caller gets an `RPCError` with this code and message (INTERNAL
/// for code 0, since code 0 means success).
public struct BusinessError: Error, Hashable, Sendable {
    /// Value of the response's `ret_code`, or the error's code.
    public let code: Int32
    /// Value of the response's `res_info`, or the error's message.
    public let info: String

    /// Creates a refusal with a code and a reason.
    public init(_ code: Int32, _ info: String) {
        self.code = code
        self.info = info
    }
}
