public import RocketBase
import RocketCodec
import RocketSystem
import RocketTCP

/// What `RPCController`s refer to: the state of one call that is made, or of the calls that one
/// responder serves, one after another. Any thread.
///
/// Serving calls reuses it without regard to who still refers to it: each call has a generation,
/// a controller bears the generation of its call, and once the call's handler has returned the
/// storage has the next one. A controller that is used later finds another generation, and says
/// that its call is finished; it reads and changes nothing of any other call.
@usableFromInline
final class CallStorage: Sendable {
    struct State: ~Copyable {
        /// Of the call that this is the state of. Never changes for a call that is made.
        var generation: UInt64 = 0
        var messageID: [UInt8] = []
        var method = ""
        /// On a server: the method that `method` is the name of.
        var entry: MethodEntry?
        var peers: ConnectionPeers?
        /// On a server, where each call is logged: when it began.
        var startedAt: MonotonicTime?
        var deadline: MonotonicTime?
        /// The request's metadata as it was received.
        var requestMetadata: [UInt8] = []
        /// The request's metadata as it was set since.
        var changedMetadata: RPCMetadata?
        var replyMetadata = RPCMetadata()
        var isCancelled = false
        var isFinished = false
        // Of a call that is made:
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
        /// On a server: the task that runs synchronous handlers; nil: none does, as on a loop.
        var servingTask: Int?
        /// On a server: something was set that the next call must not find.
        var isUsed = false

        /// On a server: resets what was set while the last call was served.
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

    private let state = Locked(State())
    /// Whether it is used for calls that are served, one after another.
    let isServing: Bool

    init(isServing: Bool = false) { self.isServing = isServing }

    /// Runs `body` with the state while no other thread has it. `body` must not use this storage or
    /// a controller of it.
    @inline(__always)
    func withState<Result, E: Error>(_ body: (inout State) throws(E) -> Result) throws(E) -> Result
    {
        // `Locked` takes the value as `sending`, which says nothing here: no part of it is shared.
        try state.withLock { state throws(E) in try body(&state) }
    }

    /// The same for the call `generation`; nil once its handler has returned.
    @inline(__always)
    func withState<Result>(of generation: UInt64, _ body: (inout State) -> Result) -> Result? {
        withState { $0.generation == generation ? body(&$0) : nil }
    }
}

// MARK: - The end of a call

extension CallStorage {
    /// Records how the call ended, and runs its observers. The first time counts.
    ///
    /// - Parameter responseBytes: nil: as recorded before.
    func end(_ code: RPCErrorCode, responseBytes: Int? = nil, cancelled: Bool = false) {
        let observers: [@Sendable (RPCCallEnding) -> Void]
        let ending: RPCCallEnding
        (ending, observers) = withState { state in
            state.isUsed = true
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
    /// In place of a generation: the call that is being served synchronously.
    ///
    /// Synchronous handlers run within one binding for all calls of a read, so the binding can't
    /// name one call. A task that such a handler starts inherits it, and may run when another call
    /// is served: so it counts only where it was bound (on a loop's thread: outside of every task).
    static let synchronousGeneration = UInt64.max

    /// In place of a generation: the only call that is awaited with this storage.
    static let onlyGeneration = UInt64.max - 1

    /// The generation that a bound one stands for; nil once the call is over.
    func resolve(_ generation: UInt64) -> UInt64? {
        switch generation {
        case Self.synchronousGeneration:
            let task = Self.currentTask
            return withState { $0.isFinished || $0.servingTask != task ? nil : $0.generation }
        case Self.onlyGeneration: return withState { $0.isFinished ? nil : $0.generation }
        default: return generation
        }
    }

    /// Identifies the current task among those that exist; nil outside of tasks.
    static var currentTask: Int? { unsafe withUnsafeCurrentTask { unsafe $0?.hashValue } }

    @usableFromInline
    func call(_ generation: UInt64) -> CallDescription? {
        guard let generation = resolve(generation) else { return nil }
        return withState(of: generation) { state in
            CallDescription(
                // SAFETY: the array lives, unchanged, until the text is made.
                messageID: unsafe InlineString(bytes: state.messageID.span.bytes),
                method: state.method, peer: state.peers?.peerText ?? "")
        }
    }
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
