/// What a chat client does when: a pure value without socket, clock or terminal. An event goes
/// in, what to do comes out.
///
/// ```
/// connecting --connected--> connected --exit, end of input--> leaving --ended--> over
///   |    ^                      |
///   | failed                  lost
///   v    | retry                v
///   waiting  <------------------+        (only with reconnect; else over, with a failure)
/// ```
struct ChatFlow: Equatable {
    enum Phase: Equatable { case connecting, connected, waiting, leaving, over }

    enum Event: Equatable {
        case connected(to: String)
        case connectFailed(String)
        /// The connection is over, for that reason.
        case ended(String)
        /// It is time to try again.
        case retry
        case line([UInt8])
        /// No more lines come, or the user wants to go.
        case leave
        /// Leaving has taken long enough.
        case leaveTimeout
    }

    enum Action: Equatable {
        case nothing
        case connect
        case send([UInt8])
        /// Word for the user, who may type on.
        case tell(String)
        /// Word for the user, and try again after a back-off.
        case retryLater(String)
        /// Send the end of our stream, and wait for the server's.
        case finishSending
        /// It is over; with a failure in words, or well.
        case end(failure: String?)
    }

    private(set) var phase = Phase.connecting
    let reconnects: Bool
    /// The longest line that is sent.
    let maxMessageBytes: Int

    init(reconnects: Bool, maxMessageBytes: Int) {
        self.reconnects = reconnects
        self.maxMessageBytes = maxMessageBytes
    }

    /// Whether a line would be sent now.
    var takesLines: Bool { phase == .connected }

    mutating func handle(_ event: Event) -> Action {
        switch (phase, event) {
        case (.over, _): return .nothing
        case (.connecting, .connected(let address)):
            phase = .connected
            return .tell("connected to \(address)")
        case (.connecting, .connectFailed(let why)): return lost(why)
        case (.connected, .ended(let why)): return lost("the connection is lost: \(why)")
        case (.waiting, .retry):
            phase = .connecting
            return .connect
        case (.connected, .line(let line)): return send(line)
        case (.connecting, .line), (.waiting, .line):
            return .tell("not connected, nothing was sent")
        case (.connected, .leave):
            phase = .leaving
            return .finishSending
        case (.connecting, .leave), (.waiting, .leave): return end(nil)
        case (.leaving, .ended), (.leaving, .leaveTimeout): return end(nil)
        default: return .nothing
        }
    }

    private mutating func send(_ line: [UInt8]) -> Action {
        if line == Array("exit".utf8) { return handle(.leave) }
        if line.count > maxMessageBytes {
            return .tell("\(line.count) bytes are more than \(maxMessageBytes), nothing was sent")
        }
        return .send(line)
    }

    private mutating func lost(_ why: String) -> Action {
        if !reconnects { return end(why) }
        phase = .waiting
        return .retryLater(why)
    }

    private mutating func end(_ failure: String?) -> Action {
        phase = .over
        return .end(failure: failure)
    }
}
