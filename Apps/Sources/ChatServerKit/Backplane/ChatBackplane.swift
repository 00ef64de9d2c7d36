import RocketReactor
import RocketSystem
import RocketTCP

/// Carries the messages of a room's sessions to other servers, and theirs to it. Bound to the loop on
/// which it was made. A room without one is in this process only.
///
/// It delivers each message at most once, those of each server in their order, and never one of its own
/// server. Where it can't say that nothing is missing, it says what is.
protocol ChatBackplane: AnyObject {
    /// Begins to connect; never blocks.
    func start()
    /// Passes on a batch of the room's own messages. Never blocks: what can't be sent now counts as
    /// missing at the other servers.
    func publish(_ messages: SharedBytes, count: Int)
    /// Stops it, after what was published was sent, or after a second.
    func stop(_ completion: @escaping () -> Void)
}

/// Makes the backplane of a room on one of its loops.
typealias MakeChatBackplane = @Sendable (BackplaneRoom, Reactor) throws -> any ChatBackplane

/// How the messages of a room reach other servers, in numbers. A value.
public struct ChatBackplaneStatistics: Hashable, Sendable {
    /// Whether other servers can be reached now.
    public var isConnected = false
    /// The name of this server among those of the room.
    public var serverName = ""
    /// Other servers of the room that were heard of in the last seconds.
    public var servers = 0
    /// Messages of own sessions that were passed on.
    public var sentMessages = 0
    /// Messages of own sessions that other servers did not get, as far as is known here.
    public var unsentMessages = 0
    /// Messages of other servers that were delivered.
    public var receivedMessages = 0
    /// Messages of other servers that are missing here, as the members were told.
    public var missingMessages = 0
    /// Messages of other servers that were dropped: they had come before, or were malformed.
    public var droppedMessages = 0

    /// Adds a number that another server has caused, and that may be anything.
    mutating func addMissing(_ count: UInt64) {
        let (sum, overflow) = missingMessages.addingReportingOverflow(Int(clamping: count))
        missingMessages = overflow ? .max : sum
    }
}

extension ChatBackplaneStatistics: CustomStringConvertible {
    /// `2 other servers, 0 messages missing, 0 unsent`
    public var description: String {
        let reached =
            isConnected ? "\(servers) other server\(servers == 1 ? "" : "s")" : "other servers LOST"
        return "\(reached), \(missingMessages) messages missing, \(unsentMessages) unsent"
    }
}
