public import RocketBase
public import RocketSystem

/// Why a connection has ended. A handler gets exactly one. A value, of one word: what belongs to a
/// reason is allocated with it, since each connection has room for reasons and ends only once.
public indirect enum CloseReason: Hashable, Sendable {
    /// This side closed it.
    case requested
    /// The peer ended its stream, and the remaining output was sent.
    case peerFinished
    /// The peer, or a device on the path, reset the connection (ECONNRESET, EPIPE).
    case peerReset
    /// The peer's machine no longer answers (`answerTimeout`, or ETIMEDOUT by keepalive).
    case peerSilent
    /// Another system call failed.
    case failed(SystemError)
    /// The handshake failed, or what the peer sent afterwards can't be decrypted.
    case insecure(TransportSecurityError)
    /// The handshake did not end within `handshakeTimeout`.
    case handshakeTimeout
    /// No byte arrived within `firstBytesTimeout` of connecting.
    case firstBytesTimeout
    /// Input was left unconsumed, and its rest did not arrive within `partialInputTimeout`.
    case partialInputTimeout
    /// No byte was transferred in either direction for `idleTimeout`.
    case idleTimeout
    /// The peer read none of the waiting output for `writeTimeout`.
    case writeTimeout
    /// This many bytes waited to be sent, more than `outputLimitBytes`.
    case outputLimit(bytes: Int)
    /// The handler left this many bytes unconsumed, more than `inputLimitBytes`.
    case inputLimit(bytes: Int)
    /// The connections of the server together held more than its `ByteBudget`, this one much of it.
    case serverBufferLimit
    /// The server already has `maxConnections` connections.
    case connectionLimit
    /// The peer already has `maxConnectionsPerPeer` connections.
    case peerConnectionLimit
    /// The server drained; the connection ended in time or was closed at the end of the drain.
    case drained
    /// The server ends connections of that age.
    case tooOld
    /// The server or the loop was stopped.
    case stopped
    /// The layer above rejected the input, for this reason.
    case rejected(String)
}

extension CloseReason {
    /// Creates the reason that follows from a failed read or write.
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
    /// Text for log lines.
    public var description: String {
        switch self {
        case .requested: "closed by this side"
        case .peerFinished: "the peer closed"
        case .peerReset: "reset by the peer"
        case .peerSilent: "the peer's machine does not answer"
        case .failed(let error): "failed: \(error)"
        case .insecure(let error): error.description
        case .handshakeTimeout: "the TLS handshake took too long"
        case .firstBytesTimeout: "the peer connected and sent nothing in time"
        case .partialInputTimeout: "the peer sent a part and not the rest in time"
        case .idleTimeout: "idle for too long"
        case .writeTimeout: "the peer did not read in time"
        case .outputLimit(let bytes): "\(bytes) bytes waited for a peer that reads too slowly"
        case .inputLimit(let bytes): "\(bytes) bytes of input were left unconsumed"
        case .serverBufferLimit: "the server's buffers are full"
        case .connectionLimit: "the server has too many connections"
        case .peerConnectionLimit: "the peer has too many connections"
        case .drained: "the server drained"
        case .tooOld: "the connection is too old"
        case .stopped: "the server stopped"
        case .rejected(let why): "refused: \(why)"
        }
    }
}
