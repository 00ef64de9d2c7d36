/// What call a task is working on. Every line that the task writes, and those of its child tasks,
/// carry it; a call made from within another one binds its own for as long as it lasts.
///
/// ```swift
/// await CallContext.$current.withValue(CallContext(messageID: id, method: "Order.makeOrder", peer: peer)) { … }
/// ```
public struct CallContext: Sendable {
    /// The context of the running task, or of the running synchronous code; nil outside of calls.
    @TaskLocal public static var current: CallContext?

    /// Who knows the rest. Binding a context copies this reference and nothing else, so that one
    /// binding can serve many calls.
    public let source: any CallContextSource

    /// The call's msg_id as far as it is shown (55 bytes).
    public var messageID: InlineString { source.contextMessageID }
    /// The full method name: `Order.makeOrder`.
    public var method: String { source.contextMethod }
    /// The other side's address; empty when there is none.
    public var peer: String { source.contextPeer }

    /// Of a call that `source` knows.
    public init(_ source: any CallContextSource) { self.source = source }

    /// With an id as the peer sent it.
    public init(messageID: InlineString, method: String, peer: String) {
        source = FixedCallContext(
            contextMessageID: messageID, contextMethod: method, contextPeer: peer)
    }

    /// With an id of our own.
    public init(messageID: MessageID, method: String, peer: String) {
        self.init(messageID: messageID.text, method: method, peer: peer)
    }
}

/// What a `CallContext` tells, asked for only when a line is written. Any thread.
public protocol CallContextSource: AnyObject, Sendable {
    /// The call's msg_id as far as it is shown.
    var contextMessageID: InlineString { get }
    /// The full method name.
    var contextMethod: String { get }
    /// The other side's address; empty when there is none.
    var contextPeer: String { get }
}

private final class FixedCallContext: CallContextSource {
    let contextMessageID: InlineString
    let contextMethod: String
    let contextPeer: String

    init(contextMessageID: InlineString, contextMethod: String, contextPeer: String) {
        self.contextMessageID = contextMessageID
        self.contextMethod = contextMethod
        self.contextPeer = contextPeer
    }
}
