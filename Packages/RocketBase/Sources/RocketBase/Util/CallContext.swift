/// The call that a task is working on. Every log line that the task writes, and those of its child
/// tasks, carry it; a call made from within another one binds its own for as long as it lasts.
///
/// ```swift
/// await CallContext.$current.withValue(CallContext(messageID: id, method: "Order.makeOrder", peer: peer)) { … }
/// ```
public struct CallContext: Sendable {
    /// The context of the running task, or of the running synchronous code; nil outside of calls.
    @TaskLocal public static var current: CallContext?

    /// What knows the call. Binding a context copies this reference and a number and nothing else.
    public let source: any CallContextSource
    /// Which of the calls that `source` stands for, one after another.
    public var generation: UInt64

    /// The call; nil once it is over.
    public var call: CallDescription? { source.call(generation) }

    /// The call `generation` of those that `source` stands for.
    public init(_ source: any CallContextSource, generation: UInt64) {
        self.source = source
        self.generation = generation
    }

    /// With an id as the peer sent it.
    public init(messageID: InlineString, method: String, peer: String) {
        self.init(
            FixedCallContext(
                description: CallDescription(messageID: messageID, method: method, peer: peer)),
            generation: 0)
    }

    /// With an id of our own.
    public init(messageID: MessageID, method: String, peer: String) {
        self.init(messageID: messageID.text, method: method, peer: peer)
    }
}

/// What log lines say about a call.
public struct CallDescription: Sendable {
    /// The call's msg_id, at most 55 bytes of it.
    public let messageID: InlineString
    /// The full method name: `Order.makeOrder`.
    public let method: String
    /// The other side's address; empty when there is none.
    public let peer: String

    /// A description of these parts.
    public init(messageID: InlineString, method: String, peer: String) {
        self.messageID = messageID
        self.method = method
        self.peer = peer
    }
}

/// Describes the calls of `CallContext`s: asked only when a line is written. Any thread.
public protocol CallContextSource: AnyObject, Sendable {
    /// The call `generation`; nil once it is over.
    func call(_ generation: UInt64) -> CallDescription?
}

private final class FixedCallContext: CallContextSource {
    let description: CallDescription

    init(description: CallDescription) { self.description = description }

    func call(_ generation: UInt64) -> CallDescription? { description }
}
