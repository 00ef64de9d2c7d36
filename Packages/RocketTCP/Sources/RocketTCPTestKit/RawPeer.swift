import RocketBase
public import RocketSystem
public import RocketTCP

/// The other end of a connection as a bare socket: it does exactly what the test says, and
/// nothing by itself. Never blocks.
public final class RawPeer {
    private var descriptor: FileDescriptor?

    /// Takes a connected or connecting socket over.
    public init(_ descriptor: consuming FileDescriptor) { self.descriptor = consume descriptor }

    /// Begins to connect; over TCP the handshake ends by itself.
    public convenience init(connectingTo address: NetAddress) throws(SystemError) {
        let descriptor = try FileDescriptor.streamSocket(for: address.socketAddress)
        _ = try descriptor.connect(to: address.socketAddress)
        self.init(descriptor)
    }

    /// What one read brings.
    public enum Arrival: Hashable, Sendable {
        /// Bytes.
        case bytes([UInt8])
        /// The end of the stream.
        case end
        /// Nothing yet.
        case nothing
        /// Reset, or another failure.
        case failed(Errno)
    }

    /// Sends as much as the kernel takes; returns how much that was, nil when it failed.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Int? {
        // SAFETY: the kernel only reads the array during the send.
        unsafe bytes.withUnsafeBytes { bytes -> Int? in
            guard let outcome = unsafe try? descriptor?.send(bytes) else { return nil }
            if case .done(let count) = outcome { return count }
            return 0
        }
    }

    /// One read of up to `limit` bytes.
    public func receive(limit: Int = 1 << 16) -> Arrival {
        var buffer = ByteBuffer()
        var outcome: IOResult<Int>?
        do {
            _ = unsafe try buffer.write(minimum: limit) { (room) throws(SystemError) -> Int in
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: room.prefix(limit))
                outcome = unsafe try descriptor?.receive(into: part)
                if case .done(let count)? = outcome { return count }
                return 0
            }
        } catch { return .failed(error.errno) }
        guard case .done(let count)? = outcome else { return .nothing }
        return count == 0 ? .end : .bytes(buffer.copyBytes())
    }

    /// All that is there now.
    public func receiveAll() -> [UInt8] {
        var all: [UInt8] = []
        while case .bytes(let more) = receive() { all += more }
        return all
    }

    /// Blocks until exactly `count` bytes are there; fewer where the stream ends before, or nothing
    /// comes for `limit`. Never on a loop's thread.
    public func receive(exactly count: Int, waitingAtMost limit: Duration = .seconds(10)) -> [UInt8]
    {
        var bytes: [UInt8] = []
        while bytes.count < count {
            switch receive(limit: count - bytes.count) {
            case .bytes(let more): bytes += more
            case .end, .failed: return bytes
            case .nothing:
                guard (try? descriptor?.waitUntilReadable(atMost: limit)) == true else {
                    return bytes
                }
            }
        }
        return bytes
    }

    /// Sends all of it; gives up where the connection fails.
    public func sendAll(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let count = send([UInt8](rest)) else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Ends its stream, and still reads.
    public func finish() { try? descriptor?.shutdownSending() }

    /// Closes; unread bytes make that a reset.
    public func close() { descriptor = nil }

    /// Cuts the connection (TCP).
    public func reset() {
        try? descriptor?.setResetOnClose()
        descriptor = nil
    }
}
