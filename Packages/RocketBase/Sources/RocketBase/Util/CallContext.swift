/// What call a task is working on. Every line that the task writes, and those of its child tasks,
/// carry it; a call made from within another one binds its own for as long as it lasts.
///
/// ```swift
/// await CallContext.$current.withValue(CallContext(messageID: id, method: "Order.makeOrder", peer: peer)) { … }
/// ```
public struct CallContext: Sendable {
    /// The context of the running task, or of the running synchronous code; nil outside of calls.
    @TaskLocal public static var current: CallContext?

    /// The call's msg_id as far as it is shown (55 bytes).
    public let messageID: ShortText
    /// The full method name: `Order.makeOrder`.
    public let method: String
    /// The other side's address; empty when there is none.
    public let peer: String

    /// With an id as the peer sent it.
    public init(messageID: ShortText, method: String, peer: String) {
        self.messageID = messageID
        self.method = method
        self.peer = peer
    }

    /// With an id of our own.
    public init(messageID: MessageID, method: String, peer: String) {
        self.init(messageID: messageID.text, method: method, peer: peer)
    }
}
