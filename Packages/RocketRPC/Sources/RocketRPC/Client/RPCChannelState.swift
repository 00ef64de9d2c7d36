/// Whether a channel can send calls now. The states and their meaning are those of gRPC.
public enum RPCChannelState: String, Hashable, Sendable, CaseIterable {
    /// Nothing is connected and nothing is tried: the next call connects.
    case idle
    /// The first connection, or the next one, is on its way.
    case connecting
    /// Calls are sent at once.
    case ready
    /// Connecting failed. It is tried again after a while; until then calls fail at once, except
    /// those that wait for ready.
    case transientFailure
    /// Closed for good.
    case closed
}
