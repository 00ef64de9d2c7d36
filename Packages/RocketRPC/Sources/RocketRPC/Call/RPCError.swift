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

/// A refusal by the rules of a service, as opposed to a failure of the call. A server answers it
/// with a response whose `ret_code` and `res_info` are set, where the message has these fields, and
/// with an error of this code where it has not.
public struct BusinessError: Error, Hashable, Sendable {
    /// The response's `ret_code`.
    public let code: Int32
    /// The response's `res_info`.
    public let info: String

    /// A refusal with that code and reason.
    public init(_ code: Int32, _ info: String) {
        self.code = code
        self.info = info
    }
}
