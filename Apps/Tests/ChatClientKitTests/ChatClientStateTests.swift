import Testing

@testable import ChatClientKit

/// One test for each phase and what may happen in it.
@Suite struct ChatClientStateTests {
    private func flow(_ events: ChatClientState.Event..., reconnects: Bool = false)
        -> ChatClientState
    {
        var flow = ChatClientState(reconnects: reconnects, maxMessageBytes: 10)
        for event in events { _ = flow.handle(event) }
        return flow
    }

    private func line(_ text: String) -> ChatClientState.Event { .line(Array(text.utf8)) }
    private let lost = ChatClientState.Event.down("gone", retryAfter: 0.25)

    @Test func connectingIsTold() {
        var flow = flow()
        #expect(flow.handle(.up("127.0.0.1:9")) == .tell("connected to 127.0.0.1:9"))
        #expect(flow.phase == .online)
    }

    @Test func aFailureToConnectIsTheEnd() {
        var flow = flow()
        #expect(flow.handle(lost) == .end(failure: "gone"))
        #expect(flow.phase == .over)
    }

    @Test func aLostConnectionIsToldAndTheEnd() {
        var flow = flow(.up("a"))
        #expect(flow.handle(lost) == .end(failure: "the connection is lost: gone"))
    }

    @Test func bothAreOnlyToldWhenItReconnects() {
        var flow = flow(reconnects: true)
        #expect(flow.handle(lost) == .tell("gone; trying again in 0.3 s"))
        #expect(flow.handle(.up("a")) == .tell("connected to a"))
        #expect(
            flow.handle(lost) == .tell("the connection is lost: gone; trying again in 0.3 s"))
        #expect(flow.phase == .offline)
    }

    @Test func linesAreSentWhileOnlineOnly() {
        var flow = flow(reconnects: true)
        #expect(flow.handle(line("hi")) == .tell("not connected, nothing was sent"))
        _ = flow.handle(.up("a"))
        #expect(flow.handle(line("hi")) == .send(Array("hi".utf8)))
        #expect(flow.handle(line("")) == .send([]))
        _ = flow.handle(.leave)
        #expect(flow.handle(line("hi")) == .nothing)
    }

    @Test func aLineBeyondTheLimitIsToldAndNotSent() {
        var flow = flow(.up("a"))
        #expect(flow.handle(line("0123456789")) == .send(Array("0123456789".utf8)))
        #expect(
            flow.handle(line("0123456789a"))
                == .tell("11 bytes are more than 10, nothing was sent"))
    }

    @Test func exitAndTheEndOfInputSendWhatWaitsAndThenEnd() {
        for event in [line("exit"), .leave] {
            var flow = flow(.up("a"))
            #expect(flow.handle(event) == .finishSending)
            #expect(flow.handle(event) == .nothing)
            #expect(flow.handle(lost) == .end(failure: nil))
            #expect(flow.handle(lost) == .nothing)
        }
    }

    @Test func leavingTakesNoLongerThanItsTimeLimit() {
        var flow = flow(.up("a"), .leave)
        #expect(flow.handle(.leaveTimeout) == .end(failure: nil))
        var other = self.flow(.up("a"))
        #expect(other.handle(.leaveTimeout) == .nothing)
    }

    @Test func leavingWhileNotConnectedIsTheEndAtOnce() {
        for event in [line("exit"), .leave] {
            var flow = flow(lost, reconnects: true)
            #expect(flow.handle(event) == .end(failure: nil))
        }
    }
}
