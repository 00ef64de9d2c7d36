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

    // MARK: Closing

    @Test func aClosedChannelResetsAConnectionWithCallsAndClosesOthers() throws {
        let busy = try DrivenChannel()
        let call = busy.start()
        busy.last.connect()
        busy.core.close()
        busy.core.close()
        #expect(busy.last.closing == .reset)
        #expect(call.ends == [.error(.channelInit)])
        #expect(busy.state == .closed)
        let after = busy.start()
        #expect(after.ends == [.error(.channelInit)])

        let idle = try DrivenChannel()
        let answered = idle.start()
        idle.last.connect()
        idle.last.reply(to: answered.idText)
        idle.core.close()
        #expect(idle.last.closing == .now)
    }

    @Test func whereAResetIsNotSeenEachCallIsCancelled() throws {
        let channel = try DrivenChannel()
        let calls = (0..<3).map { _ in channel.start() }
        channel.last.resetIsSeen = false
        channel.last.connect()
        _ = channel.last.requests()
        channel.core.close()
        let cancels = channel.last.requests()
        #expect(cancels.map(\.id) == calls.map(\.idText))
        #expect(cancels.allSatisfy { $0.method == "rocket.cancel" })
        #expect(channel.last.closing == .afterFlush)
    }

    @Test func aConnectionThatComesAfterTheCloseIsClosed() throws {
        let channel = try DrivenChannel()
        let call = channel.start()
        channel.core.close()
        #expect(channel.last.isGivenUp)
        channel.last.connect()
        #expect(channel.last.closing == .now)
        #expect(call.ends == [.error(.channelInit)])
    }

    // MARK: Limits and peers

    @Test func theLimitOnCallsIsKept() throws {
        let channel = try DrivenChannel { $0.maxCallsInFlight = 2 }
        let calls = (0..<3).map { _ in channel.start() }
        #expect(calls.map(\.ends) == [[], [], [.error(.resourceExhausted)]])
        channel.last.connect()
        channel.last.reply(to: calls[0].idText)
        #expect(channel.start().ends.isEmpty)
    }

    @Test func whatACPlusPlusPeerCouldNotHoldIsNotSent() throws {
        let channel = try DrivenChannel { $0.maxRequestBytes = 127 }
        channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        let longName = channel.start { $0.methodName = [UInt8](repeating: 0x61, count: 512) }
        let metadata = channel.start { $0.terms.metadata["x"] = String(repeating: "v", count: 512) }
        let large = channel.start { $0.payload = [UInt8](repeating: 0, count: 100) }
        #expect(longName.ends == [.error(.failedEncode)])
        #expect(metadata.ends == [.error(.failedEncode)])
        #expect(large.ends == [.error(.failedEncode)])
        #expect(channel.last.requests().isEmpty)
        let small = channel.start()
        #expect(channel.last.requests().map(\.id) == [small.idText])
    }

    @Test func aFrameOverTheCodecsLimitIsNotSent() throws {
        let channel = try DrivenChannel { $0.codec = .init(maxFrameBytes: 100) }
        channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        let large = channel.start { $0.payload = [UInt8](repeating: 0, count: 100) }
        #expect(large.ends == [.error(.failedEncode)])
        #expect(channel.last.requests().isEmpty)
    }

    @Test func aNameOf511BytesAndAnIDOf49AreSent() throws {
        let channel = try DrivenChannel()
        let id = try callID([UInt8](repeating: 0x37, count: 49))
        channel.start {
            $0.methodName = [UInt8](repeating: 0x61, count: 511)
            $0.terms.idChoice = .chosen(id)
        }
        channel.last.connect()
        let request = try #require(channel.last.requests().first)
        #expect(request.id.count == 49 && request.method.count == 511)
    }

    // MARK: Ids

    @Test func anInheritedIDIsKeptWhileItNamesOneCall() throws {
        let channel = try DrivenChannel()
        let id = try callID([UInt8]("99998888".utf8))
        let calls = (0..<3).map { _ in channel.start { $0.terms.idChoice = .inherited(id) } }
        channel.last.connect()
        #expect(calls[0].idText == "99998888")
        for call in calls.dropFirst() {
            #expect(call.idText.hasPrefix("99998888-") && call.idText.count == 19)
        }
        #expect(Set(calls.map(\.idText)).count == 3)
        for call in calls { channel.last.reply(to: call.idText) }
        // A second reply to the first must not answer the next one.
        let next = channel.start { $0.terms.idChoice = .inherited(id) }
        #expect(next.idText != "99998888")
        channel.last.reply(to: "99998888")
        #expect(next.ends.isEmpty)
        #expect(channel.statistics.duplicateReplies == 1)
    }

    @Test func idsDoNotGrowAlongAChain() throws {
        let root = try callID([UInt8]("99998888".utf8))
        let first = try #require(CallID.next(after: root))
        let second = try #require(CallID.next(after: first))
        #expect(first.count == second.count && first != second)
        let long = try callID([UInt8](repeating: 0x37, count: 39))
        #expect(CallID.next(after: long) == nil)
    }

    @Test func aChosenIDIsForOneCallAtATime() throws {
        let channel = try DrivenChannel()
        let id = try callID([UInt8]("mine".utf8))
        let first = channel.start { $0.terms.idChoice = .chosen(id) }
        let second = channel.start { $0.terms.idChoice = .chosen(id) }
        #expect(second.ends == [.error(.channelInit)])
        channel.last.connect()
        channel.last.reply(to: "mine")
        #expect(first.ends == [.response([])])
        #expect(channel.start { $0.terms.idChoice = .chosen(id) }.idText == "mine")
    }
}
