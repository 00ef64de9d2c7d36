import RocketBase
import RocketSystem
import Testing

@_spi(Transport) @testable import RocketRPC

/// How calls begin and end, on a manual clock and over transports in memory.
@Suite struct ChannelCallTests {
    @Test("A call waits for the connection and receives its reply")
    func waitsForConnection() throws {
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

    @Test("Replies are accepted in any order")
    func repliesInAnyOrder() throws {
        let channel = try DrivenChannel()
        let calls = (0..<10).map { _ in channel.start() }
        channel.last.connect()
        for (number, call) in calls.enumerated().reversed() {
            channel.last.reply(to: call.idText, payload: [UInt8(number)])
        }
        #expect(calls.map(\.ends) == (0..<10).map { [.response([UInt8($0)])] })
    }

    @Test("An error reply ends the call with its code")
    func errorReply() throws {
        let channel = try DrivenChannel()
        let call = channel.start()
        channel.last.connect()
        channel.last.reply(to: call.idText, code: .permissionDenied, info: "no")
        #expect(call.ends == [.error(.permissionDenied)])
    }

    @Test("Late, duplicate and unknown replies are counted and dropped")
    func droppedReplies() throws {
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
        channel.last.reply(to: "unknown")
        channel.last.reply(to: String(repeating: "x", count: 60))
        channel.last.reply(to: "")
        #expect(channel.statistics.duplicateReplies == 2)
        #expect(channel.statistics.lateReplies == 2)
        #expect(channel.statistics.unknownReplies == 3)
        #expect(answered.ends.count == 1 && late.ends == [.error(.callTimeout)])
        #expect(cancelled.ends == [.error(.cancelled)])
    }

    // MARK: Deadlines

    @Test("A deadline ends a call exactly on time and cancels it on the server")
    func deadline() throws {
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

    @Test("A deadline that passes before the connection is made ends the call unsent")
    func deadlineBeforeConnection() throws {
        let channel = try DrivenChannel()
        let call = channel.start(timeout: .milliseconds(100))
        channel.tick(after: .milliseconds(100))
        #expect(call.ends == [.error(.callTimeout)])
        channel.last.connect()
        #expect(channel.last.requests().isEmpty)
        #expect(channel.statistics.cancelsSent == 0)
    }

    @Test("A call whose deadline has passed is not sent")
    func overdue() throws {
        let channel = try DrivenChannel()
        let call = channel.start(timeout: .zero)
        #expect(call.ends == [.error(.callTimeout)])
        #expect(channel.connector.made.isEmpty)
    }

    @Test("A request carries the time left until the deadline")
    func sendsTimeLeft() throws {
        let channel = try DrivenChannel()
        channel.start(timeout: .milliseconds(250))
        channel.tick(after: .milliseconds(100))
        channel.last.connect()
        #expect(channel.last.requests().map(\.info) == ["rkm1\ntimeout-ms=150\n"])
    }

    // MARK: Cancellation

    @Test("A cancelled call ends at once and is cancelled on the server")
    func cancel() throws {
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

    @Test("A call that is cancelled before it is sent sends nothing")
    func cancelUnsent() throws {
        let channel = try DrivenChannel()
        let early = channel.start()
        let flagged = channel.start { $0.outgoing.cancel() }
        channel.core.cancel(early.outgoing)
        channel.last.connect()
        #expect(channel.last.requests().isEmpty)
        #expect(early.ends == [.error(.cancelled)] && flagged.ends == [.error(.cancelled)])
    }

    @Test("No cancel is sent when sendsCancel is off")
    func cancelTurnedOff() throws {
        let channel = try DrivenChannel { $0.sendsCancel = false }
        let call = channel.start()
        channel.last.connect()
        _ = channel.last.requests()
        channel.core.cancel(call.outgoing)
        #expect(channel.last.requests().isEmpty)
    }
}
