import RocketSystem
import Testing

@testable import RocketRPC

/// How calls come and end, on a manual clock and over connections of memory.
@Suite struct ChannelCallTests {
    @Test func aCallWaitsForTheConnectionAndGetsItsReply() throws {
        let channel = try DrivenChannel()
        let call = channel.start { $0.payload = [1, 2] }
        #expect(channel.last.requests().isEmpty)
        channel.last.connect()
        let requests = channel.last.requests()
        #expect(requests.map(\.id) == [call.idText] && call.idText.count == 20)
        #expect(requests[0].info == "rkm1\ntimeout-ms=10000\n")
        channel.last.reply(to: call.idText, payload: [3])
        #expect(call.ends == [.response([3])])
        #expect(channel.statistics.callsInFlight == 0)
    }

    @Test func repliesMayComeInAnyOrderAndInPieces() throws {
        let channel = try DrivenChannel()
        let calls = (0..<10).map { _ in channel.start() }
        channel.last.connect()
        for (number, call) in calls.enumerated().reversed() {
            channel.last.reply(to: call.idText, payload: [UInt8(number)])
        }
        #expect(calls.map(\.ends) == (0..<10).map { [.response([UInt8($0)])] })
    }

    @Test func anErrorKeepsItsCode() throws {
        let channel = try DrivenChannel()
        let call = channel.start()
        channel.last.connect()
        channel.last.reply(to: call.idText, code: .permissionDenied, info: "no")
        #expect(call.ends == [.error(.permissionDenied)])
    }

    @Test func aServerThatAnswersTwiceToNobodyOrLateIsCounted() throws {
        let channel = try DrivenChannel()
        let answered = channel.start()
        let late = channel.start(timeout: .seconds(1))
        let cancelled = channel.start()
        channel.last.connect()
        for _ in 0..<3 { channel.last.reply(to: answered.idText) }
        channel.tick(after: .seconds(1))
        channel.core.cancel(cancelled.outgoing)
        channel.last.reply(to: late.idText)
        channel.last.reply(to: cancelled.idText)
        channel.last.reply(to: "nobody")
        channel.last.reply(to: String(repeating: "x", count: 60))
        channel.last.reply(to: "")
        #expect(channel.statistics.duplicateReplies == 2)
        #expect(channel.statistics.lateReplies == 2)
        #expect(channel.statistics.unknownReplies == 3)
        #expect(answered.ends.count == 1 && late.ends == [.error(.callTimeout)])
        #expect(cancelled.ends == [.error(.cancelled)])
    }

    // MARK: Deadlines

    @Test func aDeadlineEndsACallExactlyThenAndTellsTheServer() throws {
        let channel = try DrivenChannel()
        let call = channel.start(timeout: .milliseconds(100))
        let other = channel.start()
        channel.last.connect()
        #expect(channel.last.requests().count == 2)
        channel.tick(after: .milliseconds(99))
        #expect(call.ends.isEmpty)
        channel.tick(after: .milliseconds(1))
        #expect(call.ends == [.error(.callTimeout)])
        let cancel = channel.last.requests()
        #expect(cancel.map(\.method) == ["rocket.cancel"])
        #expect(cancel.map(\.id) == [call.idText])
        #expect(cancel.map(\.info) == [""] && cancel[0].byteCount == 26 + 20 + 13)
        #expect(channel.statistics.cancelsSent == 1)
        #expect(other.ends.isEmpty)
    }

    @Test func aDeadlineMayPassBeforeTheConnectionIsThere() throws {
        let channel = try DrivenChannel()
        let call = channel.start(timeout: .milliseconds(100))
        channel.tick(after: .milliseconds(100))
        #expect(call.ends == [.error(.callTimeout)])
        channel.last.connect()
        #expect(channel.last.requests().isEmpty)
        #expect(channel.statistics.cancelsSent == 0)
    }

    @Test func anOverdueCallIsNotSent() throws {
        let channel = try DrivenChannel()
        let call = channel.start(timeout: .zero)
        #expect(call.ends == [.error(.callTimeout)])
        #expect(channel.connector.made.isEmpty)
    }

    @Test func whatIsLeftOfTheDeadlineIsSent() throws {
        let channel = try DrivenChannel()
        channel.start(timeout: .milliseconds(250))
        channel.tick(after: .milliseconds(100))
        channel.last.connect()
        #expect(channel.last.requests().map(\.info) == ["rkm1\ntimeout-ms=150\n"])
    }

    // MARK: Cancellation

    @Test func aCancelledCallEndsAtOnceAndTheServerIsTold() throws {
        let channel = try DrivenChannel()
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.core.cancel(call.outgoing)
        channel.core.cancel(call.outgoing)
        #expect(call.ends == [.error(.cancelled)])
        #expect(channel.last.requests().map(\.method) == ["rocket.cancel"])
        channel.core.close()
        #expect(call.ends.count == 1)
    }

    @Test func whatWasNotSentNeedNoCancelOnTheWire() throws {
        let channel = try DrivenChannel()
        let early = channel.start()
        let flagged = channel.start { $0.outgoing.cancel() }
        channel.core.cancel(early.outgoing)
        channel.last.connect()
        #expect(channel.last.requests().isEmpty)
        #expect(early.ends == [.error(.cancelled)] && flagged.ends == [.error(.cancelled)])
    }

    @Test func tellingTheServerCanBeTurnedOff() throws {
        let channel = try DrivenChannel { $0.sendsCancel = false }
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.core.cancel(call.outgoing)
        #expect(channel.last.requests().isEmpty)
    }
}
