import RocketProgram
import Testing

@testable import ChatClientKit

/// The events in each phase.
@Suite("ChatClientState") struct ChatClientStateTests {
    private func makeState(
        _ events: ChatClientState.Event..., reconnects: Bool = false, failsForLines: Bool = false
    ) -> ChatClientState {
        var state = ChatClientState(
            reconnects: reconnects, maxMessageBytes: 10, failsForLines: failsForLines)
        for event in events { _ = state.handle(event) }
        return state
    }

    private func line(_ text: String) -> ChatClientState.Event { .line(Array(text.utf8)) }
    private let lost = ChatClientState.Event.down("gone", retryAfter: 0.25)

    private static func away(_ text: String) -> ProgramFailure {
        ProgramFailure(text, status: .unavailable)
    }
    private static func undelivered(_ text: String) -> ProgramFailure {
        ProgramFailure(text, status: .dataError)
    }

    @Test("Notifies of the connection")
    func connecting() {
        var state = makeState()
        #expect(state.handle(.up("127.0.0.1:9")) == .notify("connected to 127.0.0.1:9"))
        #expect(state.phase == .online)
    }

    @Test("Ends when connecting fails")
    func failureToConnect() {
        var state = makeState()
        #expect(state.handle(lost) == .end(failure: Self.away("gone")))
        #expect(state.phase == .over)
    }

    @Test("Ends with the status of the failure to connect")
    func notPermitted() {
        var state = makeState()
        let event = ChatClientState.Event.down("no", retryAfter: 1, status: .notPermitted)
        #expect(state.handle(event) == .end(failure: ProgramFailure("no", status: .notPermitted)))
    }

    @Test("Ends with a failure when the connection is lost")
    func lostConnection() {
        var state = makeState(.up("a"))
        #expect(state.handle(lost) == .end(failure: Self.away("the connection is lost: gone")))
    }

    @Test("Notifies of both and goes on if it reconnects")
    func reconnecting() {
        var state = makeState(reconnects: true)
        #expect(state.handle(lost) == .notify("gone; trying again in 0.3 s"))
        #expect(state.handle(.up("a")) == .notify("connected to a"))
        #expect(
            state.handle(lost) == .notify("the connection is lost: gone; trying again in 0.3 s"))
        #expect(state.phase == .offline)
    }

    @Test("Sends lines while online only")
    func sending() {
        var state = makeState(reconnects: true)
        #expect(state.handle(line("hi")) == .notify("not connected, nothing was sent"))
        _ = state.handle(.up("a"))
        #expect(state.handle(line("hi")) == .send(Array("hi".utf8)))
        #expect(state.handle(line("")) == .send([]))
        _ = state.handle(.leave)
        #expect(state.handle(line("hi")) == .nothing)
    }

    @Test("Refuses a line beyond the limit with a notice")
    func lineLimit() {
        var state = makeState(.up("a"))
        #expect(state.handle(line("0123456789")) == .send(Array("0123456789".utf8)))
        #expect(
            state.handle(line("0123456789a"))
                == .notify("the line is longer than 10 bytes, nothing was sent"))
    }

    @Test("A script fails if the connection does not end in an orderly way after its last line")
    func lostWhileLeaving() {
        var script = makeState(.up("a"), .leave, failsForLines: true)
        #expect(script.handle(lost) == .end(failure: Self.away("the connection is lost: gone")))
        var user = makeState(.up("a"), .leave)
        #expect(user.handle(lost) == .end(failure: nil))
        var orderly = makeState(.up("a"), .leave, failsForLines: true)
        #expect(orderly.handle(.ended) == .end(failure: nil))
        var early = makeState(.up("a"), failsForLines: true)
        #expect(early.handle(.ended) == .nothing)
    }

    @Test("exit and the end of input finish sending, then end without a failure")
    func leaving() {
        for event in [line("exit"), .leave] {
            var state = makeState(.up("a"))
            #expect(state.handle(event) == .finishSending)
            #expect(state.handle(event) == .nothing)
            #expect(state.handle(lost) == .end(failure: nil))
            #expect(state.handle(lost) == .nothing)
        }
    }

    @Test("Ends when the server does not end its stream in time")
    func leaveTimeout() {
        var state = makeState(.up("a"), .leave)
        #expect(state.handle(.leaveTimeout) == .end(failure: nil))
        var other = self.makeState(.up("a"))
        #expect(other.handle(.leaveTimeout) == .nothing)
    }

    @Test("Leaving while offline ends at once")
    func leavingOffline() {
        for event in [line("exit"), .leave] {
            var state = makeState(lost, reconnects: true)
            #expect(state.handle(event) == .end(failure: nil))
        }
    }

    @Test("Lines that were too long or refused are a failure of a script, and of no other client")
    func undeliveredLines() {
        let refusal = ChatClientState.Event.text(Array("message refused: bad".utf8))
        let message = ChatClientState.Event.text(Array("from: a: message refused: bad".utf8))
        let long = line("0123456789a")
        for (events, failure) in [
            ([refusal], "1 line was not delivered"), ([long], "1 line was not delivered"),
            ([long, refusal, line("ok")], "2 lines were not delivered"),
            ([message, line("ok")], nil),
        ] {
            var script = makeState(.up("a"), failsForLines: true)
            var other = makeState(.up("a"))
            for event in events + [.leave] {
                _ = script.handle(event)
                _ = other.handle(event)
            }
            #expect(script.handle(.ended) == .end(failure: failure.map(Self.undelivered)))
            #expect(other.handle(.ended) == .end(failure: nil))
        }
    }

    @Test("Counts a refusal that arrives after the end of the input")
    func lateRefusal() {
        var state = makeState(.up("a"), .leave, failsForLines: true)
        #expect(state.handle(.text(Array("message refused: bad".utf8))) == .nothing)
        #expect(state.handle(.ended) == .end(failure: Self.undelivered("1 line was not delivered")))
    }
}
