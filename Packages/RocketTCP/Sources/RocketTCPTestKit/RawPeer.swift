import RocketBase
public import RocketSystem
public import RocketTCP

/// The other end of a connection as a bare socket, which does nothing by itself. Does not block,
/// except where a function is documented to.
public final class RawPeer {
    private var descriptor: FileDescriptor?

    /// Takes ownership of a connected or connecting socket.
    public init(_ descriptor: consuming FileDescriptor) { self.descriptor = consume descriptor }

    /// Begins to connect; over TCP the kernel completes the handshake.
    public convenience init(connectingTo address: NetAddress) throws(SystemError) {
        let descriptor = try FileDescriptor.streamSocket(for: address.socketAddress)
        _ = try descriptor.connect(to: address.socketAddress)
        self.init(descriptor)
    }

    /// The result of one read.
    public enum ReadResult: Hashable, Sendable {
        /// Bytes were read.
        case bytes([UInt8])
        /// The end of the stream was read.
        case end
        /// There is nothing to read.
        case nothing
        /// The connection was reset, or failed otherwise.
        case failed(Errno)
    }

    /// Sends as much as the kernel takes. Returns the number of bytes; nil on failure.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Int? {
        // SAFETY: the kernel only reads the array during the send.
        unsafe bytes.withUnsafeBytes { bytes -> Int? in
            guard let outcome = unsafe try? descriptor?.send(bytes) else { return nil }
            if case .done(let count) = outcome { return count }
            return 0
        }
    }

    /// Reads once, up to `limit` bytes.
    public func receive(limit: Int = 1 << 16) -> ReadResult {
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

    /// Reads everything that has arrived.
    public func receiveAll() -> [UInt8] {
        var all: [UInt8] = []
        while case .bytes(let more) = receive() { all += more }
        return all
    }

    /// Reads exactly `count` bytes; fewer where the stream ends before, or the connection fails.
    /// Blocks, as long as it takes: not on a loop's thread.
    public func receive(exactly count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            switch receive(limit: count - bytes.count) {
            case .bytes(let more): bytes += more
            case .end, .failed: return bytes
            case .nothing:
                guard (try? descriptor?.waitUntilReadable(atMost: .seconds(60))) != nil else {
                    return bytes
                }
            }
        }
        return bytes
    }

    /// Sends all bytes, or until the connection fails. Spins while the kernel's buffer is full.
    public func sendAll(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let count = send([UInt8](rest)) else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Ends its stream. Reading is still possible.
    public func finish() { try? descriptor?.shutdownSending() }

    /// Closes the socket; unread bytes make that a reset.
    public func close() { descriptor = nil }

    /// Resets the connection (TCP).
    public func reset() {
        try? descriptor?.setResetOnClose()
        descriptor = nil
    }
}
