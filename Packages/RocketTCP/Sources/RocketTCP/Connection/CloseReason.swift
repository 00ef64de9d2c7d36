public import RocketSystem

/// Why a connection came to its end. A handler gets exactly one.
public enum CloseReason: Hashable, Sendable {
    /// Our side asked for it.
    case requested
    /// The peer ended its stream, and what we had for it was sent.
    case peerFinished
    /// The peer, or something on the way, cut the connection (ECONNRESET, EPIPE).
    case peerReset
    /// The peer's machine does not answer any more (ETIMEDOUT by keepalive or user timeout).
    case peerSilent
    /// Any other failure of the system.
    case failed(SystemError)
    /// No byte arrived within `firstBytesTimeout` of connecting.
    case firstBytesTimeout
    /// Bytes arrived, but nothing whole within `partialInputTimeout`.
    case partialInputTimeout
    /// Not a byte in either direction for `idleTimeout`.
    case idleTimeout
    /// The peer took nothing of what waits for it for `writeTimeout`.
    case writeTimeout
    /// More than this many bytes waited for the peer (`outputLimitBytes`).
    case outputLimit(bytes: Int)
    /// The handler left this many bytes unconsumed (`inputLimitBytes`).
    case inputLimit(bytes: Int)
    /// All connections of the server together hold more than it allows.
    case serverBufferLimit
    /// The server already has as many connections as it may.
    case connectionLimit
    /// That peer already has as many connections as it may.
    case peerConnectionLimit
    /// The server drained, and this connection ended in time or was ended.
    case drained
    /// The server or the loop stopped.
    case stopped
    /// The layer above refuses what the peer sent: its words.
    case rejected(String)
}

extension CloseReason {
    /// What a failed read or write means for the connection.
    init(_ error: SystemError) {
        if error.errno.isReset {
            self = .peerReset
        } else if error.errno.isTimedOut {
            self = .peerSilent
        } else {
            self = .failed(error)
        }
    }
}

extension CloseReason: CustomStringConvertible {
    /// For people and log lines.
    public var description: String {
        switch self {
        case .requested: "closed by this side"
        case .peerFinished: "the peer closed"
        case .peerReset: "reset by the peer"
        case .peerSilent: "the peer's machine does not answer"
        case .failed(let error): "failed: \(error)"
        case .firstBytesTimeout: "the peer connected and sent nothing in time"
        case .partialInputTimeout: "the peer began something and did not finish it in time"
        case .idleTimeout: "idle for too long"
        case .writeTimeout: "the peer did not read in time"
        case .outputLimit(let bytes): "\(bytes) bytes waited for a peer that reads too slowly"
        case .inputLimit(let bytes): "\(bytes) bytes of input were left unconsumed"
        case .serverBufferLimit: "the server's buffers are full"
        case .connectionLimit: "the server has too many connections"
        case .peerConnectionLimit: "the peer has too many connections"
        case .drained: "the server drained"
        case .stopped: "the server stopped"
        case .rejected(let why): "refused: \(why)"
        }
    }
}
