/// What a chat client does when: a pure value without socket, clock or terminal. An event goes
/// in, what to do comes out.
///
/// ```
/// offline --up--> online --exit, end of input--> leaving --down, time-out--> over
///    ^              |
///    +----- down ---+          (only with reconnect; else over, with a failure)
/// ```
struct ChatClientState: Equatable {
    enum Phase: Equatable { case offline, online, leaving, over }

    enum Event: Equatable {
        /// Connected to that address.
        case up(String)
        /// Connecting failed or the connection ended, for that reason; it is tried again after so
        /// many seconds.
        case down(String, retryAfter: Double)
        case line([UInt8])
        /// No more lines come, or the user wants to go.
        case leave
        /// The server has not ended its side in time.
        case leaveTimeout
    }

    enum Action: Equatable {
        case nothing
        case send([UInt8])
        /// Word for the user, who goes on.
        case tell(String)
        /// Send the end of our stream, and wait for the server's.
        case finishSending
        /// It is over; with a failure in words, or well.
        case end(failure: String?)
    }

    private(set) var phase = Phase.offline
    let reconnects: Bool
    /// The longest line that is sent.
    let maxMessageBytes: Int

    init(reconnects: Bool, maxMessageBytes: Int) {
        self.reconnects = reconnects
        self.maxMessageBytes = maxMessageBytes
    }

    mutating func handle(_ event: Event) -> Action {
        switch (phase, event) {
        case (.over, _): return .nothing
        case (.offline, .up(let address)):
            phase = .online
            return .tell("connected to \(address)")
        case (.offline, .down(let why, let seconds)): return down(why, seconds)
        case (.online, .down(let why, let seconds)):
            return down("the connection is lost: \(why)", seconds)
        case (.online, .line(let line)): return send(line)
        case (.offline, .line(let line)):
            return line == Self.exit ? end(nil) : .tell("not connected, nothing was sent")
        case (.online, .leave):
            phase = .leaving
            return .finishSending
        case (.offline, .leave): return end(nil)
        case (.leaving, .down), (.leaving, .leaveTimeout): return end(nil)
        case (.leaving, _), (.online, .up), (_, .leaveTimeout): return .nothing
        }
    }

    private static let exit = Array("exit".utf8)

    private mutating func send(_ line: [UInt8]) -> Action {
        if line == Self.exit { return handle(.leave) }
        if line.count > maxMessageBytes {
            return .tell("\(line.count) bytes are more than \(maxMessageBytes), nothing was sent")
        }
        return .send(line)
    }

    private mutating func down(_ why: String, _ seconds: Double) -> Action {
        if !reconnects { return end(why) }
        phase = .offline
        let tenths = (seconds * 10).rounded(.up) / 10
        return .tell("\(why); trying again in \(tenths) s")
    }

    private mutating func end(_ failure: String?) -> Action {
        phase = .over
        return .end(failure: failure)
    }
}
