/// The life of one connection as a pure value: an event goes in, what to do comes out.
///
/// ```
/// connecting --connected--> connected --peerFinished/finishWriting--> halfClosed
///     |                        |  \______ closeAfterFlush ______________/ |
///     |                        |                  v                       |
///     |                        |   draining: flush, send our end, wait for the peer's
///     v                        v                  v                       v
///   closed (exactly once, with the first reason that ended it)
/// ```
/// Has no socket and no clock. `TCPConnection` performs the actions.
struct ConnectionState: Equatable {
    /// What the flags below come to.
    enum Phase: Equatable {
        case connecting, connected, halfClosed, draining, closed
    }

    enum Event: Equatable {
        case connected
        /// The end of the peer's stream was read.
        case peerFinished
        /// Our side will send no more, but goes on reading.
        case finishWriting
        case closeAfterFlush(CloseReason)
        case closeNow(CloseReason)
        /// Nothing waits to be sent any more; `lingering`: the peer may still be reading it.
        case flushed(lingering: Bool)
        /// Reading, writing or a deadline ended it.
        case failed(CloseReason)
    }

    enum Action: Equatable {
        case nothing
        case tellConnected
        case tellInputEnded
        /// Send what waits, then report `.flushed`.
        case flush
        /// Tell the peer that no more comes.
        case sendEnd
        case close(CloseReason)
    }

    private(set) var isConnecting = true
    private(set) var isClosed = false
    /// The peer sends no more.
    private(set) var peerFinished = false
    /// We accept no more bytes to send.
    private(set) var outputEnded = false
    /// The peer was told so.
    private(set) var endSent = false
    /// Set once a close was asked for: what the handler will hear.
    private(set) var closing: CloseReason?

    var phase: Phase {
        if isClosed { return .closed }
        if isConnecting { return .connecting }
        if closing != nil { return .draining }
        return peerFinished || outputEnded ? .halfClosed : .connected
    }

    /// Whether bytes that are here are for the handler.
    var wantsInput: Bool { !isClosed && !isConnecting && closing == nil }
    /// Whether bytes that arrive are for the handler.
    var delivers: Bool { !isClosed && !isConnecting && !peerFinished && closing == nil }
    /// Whether bytes to send are accepted.
    var acceptsOutput: Bool { !isClosed && !outputEnded }

    mutating func handle(_ event: Event) -> Action {
        if isClosed { return .nothing }
        switch event {
        case .connected:
            if !isConnecting { return .nothing }
            isConnecting = false
            // Closed gracefully while connecting: what was written meanwhile goes out first.
            return closing == nil ? .tellConnected : .flush
        case .peerFinished: return onPeerFinished()
        case .finishWriting:
            if outputEnded { return .nothing }
            outputEnded = true
            return isConnecting ? .nothing : .flush
        case .closeAfterFlush(let reason):
            if closing != nil { return .nothing }
            closing = reason
            outputEnded = true
            return isConnecting ? .nothing : .flush
        case .flushed(let lingering): return onFlushed(lingering)
        case .closeNow(let reason): return close(closing ?? reason)
        case .failed(let reason):
            // Once all was sent, how the peer takes its leave changes nothing.
            return close(endSent ? closing ?? reason : reason)
        }
    }

    private mutating func onPeerFinished() -> Action {
        if peerFinished || isConnecting { return .nothing }
        peerFinished = true
        if endSent { return close(closing ?? .peerFinished) }
        if outputEnded {
            closing = closing ?? .peerFinished
            return .flush
        }
        return .tellInputEnded
    }

    private mutating func onFlushed(_ lingering: Bool) -> Action {
        if !outputEnded || isConnecting { return .nothing }
        if peerFinished { return close(closing ?? .peerFinished) }
        if let closing, !lingering { return close(closing) }
        if endSent { return .nothing }
        endSent = true
        return .sendEnd
    }

    private mutating func close(_ reason: CloseReason) -> Action {
        isClosed = true
        return .close(reason)
    }
}
