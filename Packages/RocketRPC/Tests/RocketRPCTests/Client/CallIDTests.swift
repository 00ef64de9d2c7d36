import RocketBase
import RocketBaseTestKit
import Testing

@testable import RocketRPC

/// The ids of calls: no two calls in flight have the same.
@Suite struct CallIDTests {
    @Test("An inherited id is used by one call at a time")
    func inherited() throws {
        let channel = try DrivenChannel()
        let id = try callID([UInt8]("99998888".utf8))
        let calls = (0..<3).map { _ in channel.start { $0.parameters.idChoice = .inherited(id) } }
        channel.last.connect()
        #expect(calls[0].idText == "99998888")
        for call in calls.dropFirst() {
            #expect(call.idText.hasPrefix("99998888-") && call.idText.count == 19)
        }
        #expect(Set(calls.map(\.idText)).count == 3)
        for call in calls { channel.last.reply(to: call.idText) }
        // A second reply to the first must not answer the next one.
        let next = channel.start { $0.parameters.idChoice = .inherited(id) }
        #expect(next.idText != "99998888")
        channel.last.reply(to: "99998888")
        #expect(next.ends.isEmpty)
        #expect(channel.statistics.duplicateReplies == 1)
    }

    @Test("Ids don't grow along a chain of calls")
    func chain() throws {
        var random = SplitMix(seed: 1)
        let root = try callID([UInt8]("99998888".utf8))
        let first = try #require(CallID.next(after: root, using: &random))
        let second = try #require(CallID.next(after: first, using: &random))
        #expect(first.count == second.count && first != second)
        let long = try callID([UInt8](repeating: 0x37, count: 39))
        #expect(CallID.next(after: long, using: &random) == nil)
    }

    @Test("A second call with a chosen id fails while the first is in flight")
    func chosen() throws {
        let channel = try DrivenChannel()
        let id = try callID([UInt8]("mine".utf8))
        let first = channel.start { $0.parameters.idChoice = .chosen(id) }
        let second = channel.start { $0.parameters.idChoice = .chosen(id) }
        #expect(second.ends == [.error(.channelInit)])
        channel.last.connect()
        channel.last.reply(to: "mine")
        #expect(first.ends == [.response([])])
        #expect(channel.start { $0.parameters.idChoice = .chosen(id) }.idText == "mine")
    }
}
