/// What a chat server holds and has lost. A value.
public struct ChatStatistics: Hashable, Sendable {
    /// Sessions in the room.
    public var sessions = 0
    /// Bytes that wait for slow receivers besides those that their connections hold.
    public var queuedBytes = 0
    /// Bytes that the connections hold. In both, what several share is counted for each.
    public var bufferedBytes = 0
    /// Messages that slow receivers have missed, each counted for each of them.
    public var droppedMessages = 0
}

extension ChatStatistics: CustomStringConvertible {
    /// `12 sessions, 0 bytes wait for slow receivers, 0 messages dropped`
    public var description: String {
        "\(sessions) sessions, \(queuedBytes) bytes wait for slow receivers, "
            + "\(droppedMessages) messages dropped"
    }
}
