public import RocketBase
public import RocketTCP

/// A handler that records its calls, consumes all input, and runs closures of the test. Bound to
/// the connection's loop.
public final class RecordingConnectionHandler: TCPConnectionHandler {
    /// A call of the handler.
    public enum Event: Hashable, Sendable {
        /// The connection is established.
        case connected
        /// So many bytes were readable.
        case received(Int)
        /// The peer will send no more.
        case inputEnded
        /// The connection became writable, or no longer is.
        case writability(Bool)
        /// The server drains.
        case draining
        /// The connection has ended.
        case closed(CloseReason)
    }

    /// All events so far, in their order.
    public private(set) var events: [Event] = []
    /// All bytes that were consumed.
    public private(set) var bytes: [UInt8] = []
    /// The connection, from `connected` to `closed`.
    public private(set) var connection: TCPConnection?

    /// Replaces the consumption of all input.
    public var onReceived: ((TCPConnection, inout ByteBuffer) -> Void)?
    /// Called after `connected` was recorded.
    public var onConnected: ((TCPConnection) -> Void)?
    /// Replaces the close after a flush.
    public var onInputEnded: ((TCPConnection) -> Void)?
    /// Called after a change was recorded.
    public var onWritability: ((TCPConnection, Bool) -> Void)?
    /// Replaces the close after a flush.
    public var onDraining: ((TCPConnection) -> Void)?
    /// Called after `closed` was recorded.
    public var onClosed: ((TCPConnection, CloseReason) -> Void)?

    /// Creates a handler that records and consumes.
    public init() {}

    /// The reason of the end; nil before.
    public var closeReason: CloseReason? {
        for case .closed(let reason) in events { return reason }
        return nil
    }

    /// Records readable bytes and consumes them: `count` of them, or all.
    public func take(_ input: inout ByteBuffer, _ count: Int? = nil) {
        let count = count ?? input.readableBytes
        bytes += input.copyBytes().prefix(count)
        input.consume(count)
    }

    /// Called by the connection.
    public func connected(_ connection: TCPConnection) {
        self.connection = connection
        events.append(.connected)
        onConnected?(connection)
    }

    /// Called by the connection.
    public func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        events.append(.received(input.readableBytes))
        if let onReceived { onReceived(connection, &input) } else { take(&input) }
    }

    /// Called by the connection.
    public func inputEnded(_ connection: TCPConnection) {
        events.append(.inputEnded)
        guard let onInputEnded else {
            return connection.close(.afterFlush, reason: .peerFinished)
        }
        onInputEnded(connection)
    }

    /// Called by the connection.
    public func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        events.append(.writability(isWritable))
        onWritability?(connection, isWritable)
    }

    /// Called by the connection.
    public func draining(_ connection: TCPConnection) {
        events.append(.draining)
        guard let onDraining else { return connection.close(.afterFlush, reason: .drained) }
        onDraining(connection)
    }

    /// Called by the connection.
    public func closed(_ connection: TCPConnection, reason: CloseReason) {
        events.append(.closed(reason))
        self.connection = nil
        onClosed?(connection, reason)
    }
}
