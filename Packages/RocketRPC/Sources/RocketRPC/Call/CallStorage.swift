public import RocketBase
import RocketCodec
import RocketSystem
import RocketTCP
import Synchronization

/// The state that `RPCController`s refer to: of one outgoing call, or of the calls that one
/// responder serves one after another. Any thread.
///
/// A server reuses the storage even while controllers of earlier calls exist. Each call has a
/// generation, and a controller contains the generation of its call. Once the call's handler has
/// returned, the storage has the next generation: a controller that is used later reports its call
/// as finished, and can't read or change another call.
@usableFromInline
final class CallStorage: Sendable {
    struct State: ~Copyable {
        var messageID: [UInt8] = []
        var method = ""
        /// On a server: the method with the name `method`.
        var entry: _MethodEntry?
        var peers: ConnectionPeers?
        /// On a server, if calls are logged: the time at which the call began.
        var startedAt: MonotonicTime?
        var deadline: MonotonicTime?
        /// The request's metadata as received.
        var requestMetadata: [UInt8] = []
        /// The request's metadata as set since.
        var changedMetadata: RPCMetadata?
        var replyMetadata = RPCMetadata()
        var trailingMetadata = RPCMetadata()
        var compressesReply = true
        var isCancelled = false
        var isFinished = false
        // For an outgoing call:
        var attempts = 0
        /// The last of the servers that it was sent to.
        var attemptedPeers: [NetAddress] = []
        var timeout: Duration?
        var options = RPCCallOptions()
        var error: RPCError?
        var cancel: (@Sendable () -> Void)?
        // For `RPCController.onEnd`:
        var isOutgoing = false
        var requestBytes = 0
        var responseBytes = 0
        var ending: RPCCallEnding?
        var observers: [@Sendable (RPCCallEnding) -> Void] = []
        /// On a server: the task that runs synchronous handlers; nil if the loop runs them outside
        /// of a task.
        var servingTask: Int?
        /// On a server: how long the handler has waited for the peer to read, in nanoseconds.
        var peerWait: UInt64 = 0
        /// On a server: whether the next call's reply has metadata, whatever its handler does.
        var nextHasMetadata = false

        /// On a server: resets the state that was set while the previous call was served.
        mutating func startOver() {
            changedMetadata = nil
            replyMetadata = RPCMetadata()
            trailingMetadata = RPCMetadata()
            compressesReply = true
            isCancelled = false
            isFinished = false
            responseBytes = 0
            peerWait = 0
            ending = nil
            observers = []
        }
    }

    private let state = Locked(State())
    /// The generation of the current call; 0, always, for an outgoing call. On a server it is odd
    /// while a call is served, and only the loop changes it: `begin` with the lock, the end of a
    /// call without it. So whoever holds the lock and finds its own generation reads the state of
    /// its own call; what it sets while the call ends is dropped.
    private let generation = Atomic<UInt64>(0)
    /// On a server: whether more than the response has to be recorded or sent when the call ends,
    /// and `startOver` has to be called before the next one. Set with the lock.
    private let isUsedFlag = Atomic(false)
    /// Whether it is used for calls that are served, one after another.
    let isServing: Bool

    init(isServing: Bool = false) { self.isServing = isServing }

    /// Runs `body` with exclusive access to the state. `body` must not use this storage or a
    /// controller of it: that is a deadlock.
    @inline(__always)
    func withState<Result, E: Error>(_ body: (inout State) throws(E) -> Result) throws(E) -> Result
    {
        // `Locked` passes the value as `sending`, which has no effect here: no part of it is
        // shared.
        try state.withLock { state throws(E) in try body(&state) }
    }

    /// Runs `body` with the state of the call `generation`; returns nil once its handler has
    /// returned.
    @inline(__always)
    func withState<Result>(of generation: UInt64, _ body: (inout State) -> Result) -> Result? {
        withState { self.generation.load(ordering: .relaxed) == generation ? body(&$0) : nil }
    }

    /// Whether anything but the response was set, or has to be recorded. On the loop.
    var isUsed: Bool { isUsedFlag.load(ordering: .acquiring) }

    /// Has the end of the call recorded. Only inside of `withState`.
    func use() { isUsedFlag.store(true, ordering: .releasing) }

    /// Begins the next generation. On the loop, inside of `withState`.
    @inline(__always)
    func beginGeneration(_ state: inout State, isLogged: Bool) {
        let used = isUsedFlag.load(ordering: .relaxed)
        if used { state.startOver() }
        if used || isLogged {
            isUsedFlag.store(isLogged || state.nextHasMetadata, ordering: .relaxed)
            state.nextHasMetadata = false
        }
        state.isFinished = false
        generation.store(generation.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// Ends the current generation, because the handler has returned: controllers of the call no
    /// longer access the state. On the loop, without the lock.
    @inline(__always)
    func endGeneration() {
        generation.store(generation.load(ordering: .relaxed) &+ 1, ordering: .releasing)
    }

    /// Returns the generation of the call that is being served; nil: none is, or it was answered.
    private func servedGeneration(_ state: borrowing State) -> UInt64? {
        let current = generation.load(ordering: .relaxed)
        return current & 1 == 0 || state.isFinished ? nil : current
    }
}

// MARK: - The end of a call

extension CallStorage {
    /// Records how the call ended, and runs its observers. Only the first call has an effect.
    ///
    /// - Parameter responseBytes: the size of the response; nil: as recorded before.
    func end(_ code: RPCErrorCode, responseBytes: Int? = nil, cancelled: Bool = false) {
        let observers: [@Sendable (RPCCallEnding) -> Void]
        let ending: RPCCallEnding
        (ending, observers) = withState { state in
            use()
            if cancelled { state.isCancelled = true }
            if let ending = state.ending { return (ending, []) }
            let ending = RPCCallEnding(
                code: code, requestBytes: state.requestBytes,
                responseBytes: responseBytes ?? state.responseBytes)
            state.ending = ending
            state.isFinished = true
            if state.observers.isEmpty { return (ending, []) }
            defer { state.observers = [] }
            return (ending, state.observers)
        }
        for observer in observers { observer(ending) }
    }
}

// MARK: - The current call

extension CallStorage: CallContextSource {
    /// Used in place of a generation: the call that is being served synchronously.
    ///
    /// All synchronous calls of one read run within one binding, so the binding can't contain the
    /// generation of one call. A task that a synchronous handler starts inherits the binding, and
    /// may run while another call is served: so it is valid only in the task in which it was bound
    /// (on a loop's thread: outside of every task).
    static let synchronousGeneration = UInt64.max

    /// Used in place of a generation: the only call that is awaited with this storage.
    static let onlyGeneration = UInt64.max - 1

    /// Returns the generation of a bound one; nil once the call has ended.
    func resolve(_ generation: UInt64) -> UInt64? {
        switch generation {
        case Self.synchronousGeneration:
            let task = Self.currentTask
            return withState { $0.servingTask == task ? servedGeneration($0) : nil }
        case Self.onlyGeneration: return withState { servedGeneration($0) }
        default: return generation
        }
    }

    /// Identifies the current task among all existing tasks; nil outside of tasks.
    // determinism: compared for equality only
    static var currentTask: Int? { unsafe withUnsafeCurrentTask { unsafe $0?.hashValue } }

    @usableFromInline
    func call(_ generation: UInt64) -> CallDescription? {
        guard let generation = resolve(generation) else { return nil }
        return withState(of: generation) { state in
            CallDescription(
                // SAFETY: the array lives, unchanged, until the string is created.
                messageID: unsafe InlineString(bytes: state.messageID.span.bytes),
                method: state.method, peer: state.peers?.peerText ?? "")
        }
    }
}

/// The two ends of a connection, shared by all of its calls; on a server that verifies tokens, by
/// all calls of the connection with the same token.
final class ConnectionPeers: Sendable {
    let local: NetAddress
    let peer: NetAddress
    /// The peer's address as text, formatted once.
    let peerText: String
    let identity: PeerIdentity
    /// As `Transport.wireName`.
    let wire: String
    /// What the token of the calls has proved.
    let token: TokenIdentity?
    /// Those of the same connection without a token; nil: these are.
    private let connection: ConnectionPeers?

    /// A placeholder until the connection is established.
    static let none = ConnectionPeers(local: .loopback(port: 0), peer: .loopback(port: 0))

    init(
        local: NetAddress, peer: NetAddress, identity: PeerIdentity = .none,
        wire: String = ServerConnection.ownWire, token: TokenIdentity? = nil,
        of connection: ConnectionPeers? = nil
    ) {
        self.local = local
        self.peer = peer
        peerText = connection?.peerText ?? peer.description
        self.identity = identity
        self.wire = wire
        self.token = token
        self.connection = connection
    }

    /// Asks the transport for the peer's identity, which costs nothing on plaintext TCP.
    convenience init(_ transport: any Transport) {
        self.init(
            local: transport.localAddress, peer: transport.peerAddress,
            identity: transport.peerIdentity, wire: transport.wireName)
    }

    /// Returns the same ends, for calls with a token.
    func with(_ token: TokenIdentity) -> ConnectionPeers {
        ConnectionPeers(
            local: local, peer: peer, identity: identity, wire: wire, token: token, of: self)
    }

    /// Identifies the connection.
    var id: ObjectIdentifier { ObjectIdentifier(connection ?? self) }
}
