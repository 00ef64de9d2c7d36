/// A call that failed: with which code, and why. What a handler throws to answer with a code of
/// its own, and the only thing that a call on a channel throws.
public struct RPCError: Error, Sendable, CustomStringConvertible {
    public let code: RPCErrorCode
    /// For people: what happened. Travels as err_info.
    public let message: String
    /// The error underneath, if any. Stays on this side of the wire.
    public let cause: (any Error)?
    /// The call's full method name; empty where it belongs to none.
    public var method = ""
    /// The other side's address, as text; empty where there is none.
    public var peer = ""

    public init(_ code: RPCErrorCode, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// `ERROR_RPC_CALL_TIMEOUT: no reply within 1.0 seconds (Order.makeOrder to 127.0.0.1:80)`.
    public var description: String {
        var text = "\(code.name): \(message)"
        if let cause { text += ": \(cause)" }
        if !method.isEmpty { text += peer.isEmpty ? " (\(method))" : " (\(method) to \(peer))" }
        return text
    }

    func about(method: String, peer: String) -> RPCError {
        var copy = self
        if copy.method.isEmpty { copy.method = method }
        if copy.peer.isEmpty { copy.peer = peer }
        return copy
    }
}

/// A refusal by the rules of the service and no failure of the call: answered by a normal response
/// whose `ret_code` and `res_info` are filled in, where the message has them; otherwise it is
/// answered as an error with this code.
public struct BusinessError: Error, Hashable, Sendable {
    public let code: Int32
    public let info: String

    public init(_ code: Int32, _ info: String) {
        self.code = code
        self.info = info
    }
}
