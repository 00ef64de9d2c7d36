/// A call that failed: with which code, and why. What a handler throws to answer with a code of
/// its own, and the only thing that a call on a channel throws.
public typealias RPCError = RocketError

extension RocketError {
    /// The call's full method name; empty where it belongs to none.
    public var method: String { context("method") }
    /// The other side's address or the stub's name; empty where there is none.
    public var peer: String { context("peer") }

    func about(method: String, peer: String) -> RPCError {
        adding("method", method).adding("peer", peer)
    }
}

/// A refusal by the rules of the service and no failure of the call: answered by a normal response
/// whose `ret_code` and `res_info` are filled in, where the message has them; otherwise it is
/// answered as an error with this code.
public struct BusinessError: Error, Hashable, Sendable {
    /// The response's `ret_code`.
    public let code: Int32
    /// The response's `res_info`.
    public let info: String

    /// Refuses with that code and reason.
    public init(_ code: Int32, _ info: String) {
        self.code = code
        self.info = info
    }
}
