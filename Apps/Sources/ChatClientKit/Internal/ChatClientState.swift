import RocketProgram

/// The state machine of a chat client: event in, action out. A pure value without socket, clock or
/// terminal.
///
/// ```
/// offline --up--> online --exit, end of input--> leaving --down, time-out--> over
///    ^              |
///    +----- down ---+          (only with reconnect; else over, with a failure)
/// ```
struct ChatClientState: Equatable {
    enum Phase: Equatable { case offline, online, leaving, over }

    enum Event: Equatable {
        /// Connected to this address.
        case up(String)
        /// Connecting failed or the connection ended, for this reason. The next attempt follows
        /// after `retryAfter` seconds; a client that does not try again ends with `status`.
        case down(String, retryAfter: Double, status: ExitStatus = .unavailable)
        /// The server has ended its stream in an orderly way.
        case ended
        /// A line of the user.
        case line([UInt8])
        /// A text of the server.
        case text([UInt8])
        /// The input has ended, or the user leaves.
        case leave
        /// The server has not ended its stream in time.
        case leaveTimeout
    }

    enum Action: Equatable {
        case nothing
        case send([UInt8])
        /// Show this notice.
        case notify(String)
        /// End our stream, and wait for the end of the server's.
        case finishSending
        /// End the client, with a failure or nil.
        case end(failure: ProgramFailure?)
    }

    private(set) var phase = Phase.offline
    let reconnects: Bool
    /// The longest line that is sent.
    let maxMessageBytes: Int
    /// Whether lines that were not delivered are a failure.
    let failsForLines: Bool
    /// Lines that were too long, or that the server has refused.
    private var undeliveredLines = 0

    init(reconnects: Bool, maxMessageBytes: Int, failsForLines: Bool = false) {
        self.reconnects = reconnects
        self.maxMessageBytes = maxMessageBytes
        self.failsForLines = failsForLines
    }

    mutating func handle(_ event: Event) -> Action {
        switch (phase, event) {
        case (.over, _): return .nothing
        case (_, .text(let text)):
            if text.starts(with: Self.refusal) { undeliveredLines += 1 }
            return .nothing
        case (.offline, .up(let address)):
            phase = .online
            return .notify("connected to \(address)")
        case (.offline, .down(let reason, let seconds, let status)):
            return down(reason, seconds, status)
        case (.online, .down(let reason, let seconds, let status)):
            return down("the connection is lost: \(reason)", seconds, status)
        case (.online, .line(let line)): return send(line)
        case (.offline, .line(let line)):
            return line == Self.exit ? end(nil) : .notify("not connected, nothing was sent")
        case (.online, .leave):
            phase = .leaving
            return .finishSending
        case (.offline, .leave): return end(nil)
        // What a script has sent need not have arrived: a server that demands a certificate says so
        // when the client has sent everything.
        case (.leaving, .down(let reason, _, let status)):
            if !failsForLines { return end(nil) }
            return end(
                lineFailure ?? ProgramFailure("the connection is lost: \(reason)", status: status))
        case (.leaving, .ended), (.leaving, .leaveTimeout): return end(nil)
        case (_, .ended): return .nothing
        case (.leaving, _), (.online, .up), (_, .leaveTimeout): return .nothing
        }
    }

    private static let exit = Array("exit".utf8)
    /// The beginning of chat_server's answer to a text that it does not deliver. Texts of other
    /// clients begin with `from: `.
    private static let refusal = Array("message refused: ".utf8)

    private mutating func send(_ line: [UInt8]) -> Action {
        if line == Self.exit { return handle(.leave) }
        if line.count > maxMessageBytes {
            undeliveredLines += 1
            return .notify("the line is longer than \(maxMessageBytes) bytes, nothing was sent")
        }
        return .send(line)
    }

    private mutating func down(
        _ reason: String, _ seconds: Double, _ status: ExitStatus
    ) -> Action {
        if !reconnects { return end(ProgramFailure(reason, status: status)) }
        phase = .offline
        let tenths = (seconds * 10).rounded(.up) / 10
        return .notify("\(reason); trying again in \(tenths) s")
    }

    private mutating func end(_ failure: ProgramFailure?) -> Action {
        phase = .over
        return .end(failure: failure ?? lineFailure)
    }

    private var lineFailure: ProgramFailure? {
        if !failsForLines || undeliveredLines == 0 { return nil }
        let lines = undeliveredLines == 1 ? "1 line was" : "\(undeliveredLines) lines were"
        return ProgramFailure("\(lines) not delivered", status: .dataError)
    }
}
