import RocketBase
import RocketTCP

/// What a connection of ours stands on: a socket, or a pipe in memory. Bound to one loop.
///
/// An enum and no protocol: with a socket, which is what counts, each use is a direct call.
enum ByteLink {
    case tcp(TCPConnection)
    case memory(MemoryLink)

    var localAddress: NetAddress {
        switch self {
        case .tcp(let connection): connection.localAddress
        case .memory: MemoryLink.address
        }
    }

    var peerAddress: NetAddress {
        switch self {
        case .tcp(let connection): connection.peerAddress
        case .memory: MemoryLink.address
        }
    }

    /// As `TCPConnection.sentBytes`: of what was written, the bytes that the other side may have.
    var sentBytes: UInt64 {
        switch self {
        case .tcp(let connection): connection.sentBytes
        case .memory(let link): link.sentBytes
        }
    }

    /// As `TCPConnection.pendingBytes`: what waits to be sent.
    var pendingBytes: Int {
        switch self {
        case .tcp(let connection): connection.pendingBytes
        case .memory(let link): link.pendingBytes
        }
    }

    /// As `TCPConnection.withInput`: takes from what was left in `received`, later on.
    @inline(__always)
    func withInput<Result, E: Error>(
        _ body: (inout ByteBuffer) throws(E) -> Result
    ) throws(E) -> Result {
        switch self {
        case .tcp(let connection): try connection.withInput(body)
        case .memory(let link): try link.withInput(body)
        }
    }

    /// As `TCPConnection.write`: appends to what is sent at the end of this tick.
    @inline(__always)
    func write<Result, E: Error>(
        _ body: (inout ByteBuffer) throws(E) -> Result
    ) throws(E) -> Result {
        switch self {
        case .tcp(let connection): try connection.write(body)
        case .memory(let link): try link.write(body)
        }
    }

    /// As `TCPConnection.close`.
    func close(_ how: TCPConnection.Closing, reason: CloseReason) {
        switch self {
        case .tcp(let connection): connection.close(how, reason: reason)
        case .memory(let link): link.close(how, reason: reason)
        }
    }
}

/// What hears of a link's life; the same contract as `TCPConnectionHandler`, which the users of a
/// socket are as well.
protocol ByteLinkHandler: AnyObject {
    func connected(_ link: ByteLink)
    func received(_ link: ByteLink, _ input: inout ByteBuffer)
    func inputEnded(_ link: ByteLink)
    func closed(_ link: ByteLink, reason: CloseReason)
}
