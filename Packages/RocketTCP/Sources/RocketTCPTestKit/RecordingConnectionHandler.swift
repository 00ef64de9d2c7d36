public import RocketBase
public import RocketTCP

/// A handler that remembers what it heard, consumes everything, and does what the test says.
/// Bound to the connection's loop.
public final class RecordingConnectionHandler: TCPConnectionHandler {
    /// What was heard, in its order.
    public enum Event: Hashable, Sendable {
        /// The connection is up.
        case connected
        /// That many bytes were at hand.
        case received(Int)
        /// The peer sends no more.
        case inputEnded
        /// The output crossed a water mark.
        case writability(Bool)
        /// The server drains.
        case draining
        /// The end.
        case closed(CloseReason)
    }

    /// Everything heard so far.
    public private(set) var events: [Event] = []
    /// All bytes that were consumed.
    public private(set) var bytes: [UInt8] = []
    /// The connection, once it is up.
    public private(set) var connection: TCPConnection?

    /// In place of consuming everything.
    public var onReceived: ((TCPConnection, inout ByteBuffer) -> Void)?
    /// After `connected` was noted.
    public var onConnected: ((TCPConnection) -> Void)?
    /// In place of closing after a flush.
    public var onInputEnded: ((TCPConnection) -> Void)?
    /// After a change was noted.
    public var onWritability: ((TCPConnection, Bool) -> Void)?
    /// In place of closing after a flush.
    public var onDraining: ((TCPConnection) -> Void)?
    /// After `closed` was noted.
    public var onClosed: ((TCPConnection, CloseReason) -> Void)?

    /// A handler that only remembers and consumes.
    public init() {}

    /// The reason that was heard, nil before.
    public var closeReason: CloseReason? {
        for case .closed(let reason) in events { return reason }
        return nil
    }

    /// Remembers the readable bytes and consumes them.
    public func take(_ input: inout ByteBuffer, _ count: Int? = nil) {
        let count = count ?? input.readableBytes
        bytes += input.copyBytes().prefix(count)
        input.consume(count)
    }

    /// The connection is up.
    public func connected(_ connection: TCPConnection) {
        self.connection = connection
        events.append(.connected)
        onConnected?(connection)
    }

    /// Bytes arrived.
    public func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        events.append(.received(input.readableBytes))
        if let onReceived { onReceived(connection, &input) } else { take(&input) }
    }

    /// The peer sends no more.
    public func inputEnded(_ connection: TCPConnection) {
        events.append(.inputEnded)
        guard let onInputEnded else {
            return connection.close(.afterFlush, reason: .peerFinished)
        }
        onInputEnded(connection)
    }

    /// A water mark was crossed.
    public func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        events.append(.writability(isWritable))
        onWritability?(connection, isWritable)
    }

    /// The server drains.
    public func draining(_ connection: TCPConnection) {
        events.append(.draining)
        guard let onDraining else { return connection.close(.afterFlush, reason: .drained) }
        onDraining(connection)
    }

    /// The end.
    public func closed(_ connection: TCPConnection, reason: CloseReason) {
        events.append(.closed(reason))
        self.connection = nil
        onClosed?(connection, reason)
    }
}
