public import RocketBase

/// The error of a failed call: a code, a message and a cause. A handler throws it to choose the
/// code of the reply; a call on a channel throws no other error.
public typealias RPCError = RocketError

extension RocketError {
    /// The full method name of the call; empty for an error outside a call.
    public var method: String { context("method") }
    /// The peer's address or the stub's name; empty if there is none.
    public var peer: String { context("peer") }

    func about(method: String, peer: String) -> RPCError {
        adding("method", method).adding("peer", peer)
    }
}

/// A refusal by the rules of the service, thrown by a handler.
///
/// If the response message has the fields `int32 ret_code` and `string res_info`, neither of them
/// repeated nor in a oneof, the caller receives a normal response: a new message with these two
/// fields set. Generated code sets them. In all other cases, which include every service without
/// generated methods, the call fails with an `RPCError` with this code and message (INTERNAL for
/// code 0, because code 0 means success).
public struct BusinessError: Error, Hashable, Sendable {
    /// The value of the response's `ret_code`, or the error's code.
    public let code: Int32
    /// The value of the response's `res_info`, or the error's message.
    public let info: String

    /// Creates a refusal with a code and a reason.
    public init(_ code: Int32, _ info: String) {
        self.code = code
        self.info = info
    }
}
