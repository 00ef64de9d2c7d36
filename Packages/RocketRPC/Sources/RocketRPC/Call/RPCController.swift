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
        /// On a server: what `method` is the name of.
        var served: MethodEntry?
        var peers: ConnectionPeers?
        /// On a server, where calls are logged.
        var startedAt: MonotonicTime?
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
        /// On a server: somebody has set something that the next call must not see.
        var isUsed = false

        /// On a server: forgets all that was set.
        mutating func startOver() {
            changedMetadata = nil
            replyMetadata = RPCMetadata()
            isCancelled = false
            isFinished = false
            responseBytes = 0
            ending = nil
            observers = []
            isUsed = false
        }
    }

    private let lock = Locked(())
    // SAFETY: used under the lock, or by one who knows that nobody else has a reference; and no
    // body comes back to the controller.
    @exclusivity(unchecked) private nonisolated(unsafe) var state = State()

    init() {}

    /// Runs `body` with the state while no other thread has it. Any thread.
    @inline(__always)
    func withState<Result, E: Error>(_ body: (inout State) throws(E) -> Result) throws(E) -> Result
    {
        try lock.withLock { _ throws(E) in try unsafe body(&state) }
    }

    /// The same without the lock: where the references to this object are counted, and all of them
    /// are the caller's own.
    @inline(__always)
    func withUnsharedState<Result>(_ body: (inout State) -> Result) -> Result {
        lock.withoutLock { unsafe body(&state) }
    }

    /// The call whose handler the current task runs, or was started by; nil outside of one.
    /// Calls made with it set inherit what is left of its deadline.
    public static var current: RPCController? {
        // One binding says both which call it is and what log lines bear.
        CallContext.current?.source as? RPCController
    }

    /// The call's id on the wire, shown as text.
    public var messageID: String {
        withState { String(decoding: $0.messageID, as: UTF8.self) }
    }

    /// `package.Service.method`.
    public var method: String { withState { $0.method } }

    /// This side's address of the connection that the call came on.
    public var localAddress: NetAddress? { withState { $0.peers?.local } }

    /// Who calls.
    public var peerAddress: NetAddress? { withState { $0.peers?.peer } }

    /// When the answer is due, on the monotonic clock: as the caller says, or by the server's own
    /// limit on handlers where that is earlier; nil without either.
    public var deadline: MonotonicTime? { withState { $0.deadline } }

    /// What travels beside the request. On a server it is what the caller sent; a channel's
    /// interceptor may change it before the call is sent.
    public var requestMetadata: RPCMetadata {
        get {
            withState { state in
                state.changedMetadata
                    ?? (unsafe MetadataBlock.read(state.requestMetadata.span.bytes))
                    ?? RPCMetadata()
            }
        }
        set {
            withState { state in
                state.changedMetadata = newValue
                state.isUsed = true
            }
        }
    }

    /// What goes back beside the response; set it before the handler returns. On the caller's side
    /// it is what came back. Not sent with an error. At most 511 bytes in all, or the call fails
    /// with RESOURCE_EXHAUSTED.
    public var replyMetadata: RPCMetadata {
        get { withState { $0.replyMetadata } }
        set {
            withState { state in
                state.replyMetadata = newValue
                state.isUsed = true
            }
        }
    }

    /// Whether nobody waits for the answer any more: the deadline passed, the connection ended,
    /// or the server stops. The handler's task is cancelled at the same time.
    public var isCancelled: Bool { withState { $0.isCancelled } }

    /// Whether the call has been answered or given up.
    public var isFinished: Bool { withState { $0.isFinished } }
}

extension RPCController: CallContextSource {
    /// For log lines: the call's id.
    public var contextMessageID: InlineString {
        withState { state in
            // SAFETY: the array lives, unchanged, until the text is made.
            unsafe InlineString(bytes: state.messageID.span.bytes)
        }
    }

    /// For log lines: the method's full name.
    public var contextMethod: String { method }

    /// For log lines: who calls.
    public var contextPeer: String { withState { $0.peers?.peerText ?? "" } }
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
