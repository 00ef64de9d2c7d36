public import RocketBase
public import RocketCodec
public import RocketSystem
public import RocketTCP

/// Key=value pairs that travel beside a message; see docs/wire-format.md, "Metadata".
public typealias RPCMetadata = Metadata

/// One call, as its handler sees it: who asks, until when, and whether anybody still waits.
///
/// Valid while the handler runs and after it, on any thread. The server reuses the object for
/// another call only when nobody else holds it.
public final class RPCController: Sendable {
    struct State: ~Copyable {
        var messageID: [UInt8] = []
        var method = ""
        var peers: ConnectionPeers?
        var deadline: MonotonicTime?
        /// As it came.
        var requestMetadata: [UInt8] = []
        /// As somebody set it since.
        var changedMetadata: RPCMetadata?
        var replyMetadata = RPCMetadata()
        var isCancelled = false
        var isFinished = false
        // Of a call that is being made:
        var timeout: Duration?
        var options = RPCCallOptions()
        var error: RPCError?
        var giveUp: (@Sendable () -> Void)?
        // For those who observe calls; see `onEnd`.
        var isOutgoing = false
        var requestBytes = 0
        var responseBytes = 0
        var ending: RPCCallEnding?
        var observers: [@Sendable (RPCCallEnding) -> Void] = []
    }

    let state = Locked(State())

    init() {}

    /// The call whose handler the current task runs, or was started by; nil outside of one.
    /// Calls made with it set inherit what is left of its deadline.
    public static var current: RPCController? {
        // One binding says both which call it is and what log lines bear.
        CallContext.current?.source as? RPCController
    }

    /// The call's id on the wire, shown as text.
    public var messageID: String {
        state.withLock { String(decoding: $0.messageID, as: UTF8.self) }
    }

    /// `package.Service.method`.
    public var method: String { state.withLock { $0.method } }

    /// This side's address of the connection that the call came on.
    public var localAddress: NetAddress? { state.withLock { $0.peers?.local } }

    /// Who calls.
    public var peerAddress: NetAddress? { state.withLock { $0.peers?.peer } }

    /// When the answer is due, on the monotonic clock: as the caller says, or by the server's own
    /// limit on handlers where that is earlier; nil without either.
    public var deadline: MonotonicTime? { state.withLock { $0.deadline } }

    /// What travels beside the request. On a server it is what the caller sent; a channel's
    /// interceptor may change it before the call is sent.
    public var requestMetadata: RPCMetadata {
        get {
            state.withLock { state in
                state.changedMetadata
                    ?? (unsafe MetadataBlock.read(state.requestMetadata.span.bytes))
                    ?? RPCMetadata()
            }
        }
        set { state.withLock { $0.changedMetadata = newValue } }
    }

    /// What goes back beside the response; set it before the handler returns. On the caller's side
    /// it is what came back. Not sent with an error. At most 511 bytes in all, or the call fails with RESOURCE_EXHAUSTED.
    public var replyMetadata: RPCMetadata {
        get { state.withLock { $0.replyMetadata } }
        set { state.withLock { $0.replyMetadata = newValue } }
    }

    /// Whether nobody waits for the answer any more: the deadline passed, the connection ended,
    /// or the server stops. The handler's task is cancelled at the same time.
    public var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Whether the call has been answered or given up.
    public var isFinished: Bool { state.withLock { $0.isFinished } }
}

extension RPCController: CallContextSource {
    /// For log lines: the call's id.
    public var contextMessageID: ShortText {
        state.withLock { state in
            // SAFETY: the array lives, unchanged, until the text is made.
            unsafe ShortText(bytes: state.messageID.span.bytes)
        }
    }

    /// For log lines: the method's full name.
    public var contextMethod: String { method }

    /// For log lines: who calls.
    public var contextPeer: String { state.withLock { $0.peers?.peerText ?? "" } }
}

/// The two ends of a connection, shared by all of its calls.
final class ConnectionPeers: Sendable {
    let local: NetAddress
    let peer: NetAddress
    /// The peer as text, made once.
    let peerText: String

    /// Before the connection is there.
    static let none = ConnectionPeers(local: .loopback(port: 0), peer: .loopback(port: 0))

    init(local: NetAddress, peer: NetAddress) {
        self.local = local
        self.peer = peer
        peerText = peer.description
    }
}
