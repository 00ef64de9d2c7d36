/// State machine of one connection's life: an event goes in, an action comes out. A pure value,
/// owned by its connection.
///
/// ```
/// connecting --connected--> connected --peerFinished/finishWriting--> halfClosed
///     |                        |  \______ closeAfterFlush ______________/ |
///     |                        |                  v                       |
///     |                        |   draining: flush, send our end, wait for the peer's
///     v                        v                  v                       v
///   closed (exactly once, with the first reason)
/// ```
/// It has no socket and no clock; `TCPConnection` performs the actions.
struct ConnectionState: Equatable {
    /// The sum of the flags below.
    enum Phase: Equatable {
        case connecting, connected, halfClosed, draining, closed
    }

    enum Event: Equatable {
        case connected
        /// The end of the peer's stream was read.
        case peerFinished
        /// Our side will send no more, but continues to read.
        case finishWriting
        case closeAfterFlush(CloseReason)
        case closeNow(CloseReason)
        /// The whole output was sent; `lingering`: the peer may still be reading it.
        case flushed(lingering: Bool)
        /// Reading, writing or a time limit ended the connection.
        case failed(CloseReason)
        /// Another object has the connection from now on.
        case moved
    }

    enum Action: Equatable {
        case nothing
        case notifyConnected
        case notifyInputEnded
        /// Send the output, then report `.flushed`.
        case flush
        /// End our stream, so that the peer reads the end.
        case sendEnd
        case close(CloseReason)
    }

    /// Set once a close was requested: the reason for the handler.
    private(set) var closing: CloseReason?
    private(set) var isConnecting = true
    private(set) var isClosed = false
    /// The peer will send no more.
    private(set) var peerFinished = false
    /// No more output is accepted.
    private(set) var outputEnded = false
    /// The end of our stream was sent.
    private(set) var endSent = false

    var phase: Phase {
        if isClosed { return .closed }
        if isConnecting { return .connecting }
        if closing != nil { return .draining }
        return peerFinished || outputEnded ? .halfClosed : .connected
    }

    /// Whether bytes that have been read are for the handler.
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
            // Closed gracefully while connecting: what was written meanwhile is sent first.
            return closing == nil ? .notifyConnected : .flush
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
            // Once everything was sent, the way in which the peer ends changes nothing.
            return close(endSent ? closing ?? reason : reason)
        case .moved:
            isClosed = true
            return .nothing
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
        return .notifyInputEnded
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
