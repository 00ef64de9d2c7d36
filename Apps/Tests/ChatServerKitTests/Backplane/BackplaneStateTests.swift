import RocketSystem
import Testing

@testable import ChatServerKit

struct BackplaneStateTests {
    private static let own = ChatServerID(began: 100, random: 0x12345)
    private static let older = ChatServerID(began: 99, random: 7)
    private static let newer = ChatServerID(began: 101, random: 7)
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    private func state() -> BackplaneState {
        var state = BackplaneState(id: Self.own, name: "own")
        state.connected(at: start)
        return state
    }

    private func messages(
        _ server: ChatServerID, _ number: UInt64, _ count: Int
    ) -> BackplaneHeader {
        BackplaneHeader(kind: .messages, server: server, number: number, count: count)
    }

    private func announcement(
        _ server: ChatServerID, _ number: UInt64, _ name: String = "other",
        _ kind: BackplaneHeader.Kind = .announcement
    ) -> BackplaneHeader {
        BackplaneHeader(kind: kind, server: server, number: number, name: name)
    }

    @Test("Own messages are numbered, and are nothing when they come back")
    func own() {
        var state = state()
        #expect(state.number(3) == 0 && state.number(1) == 3 && state.next == 4)
        #expect(state.received(messages(Self.own, 0, 3), at: start) == .init())
        #expect(state.received(announcement(Self.own, 9, "own"), at: start) == .init())
        #expect(state.servers(at: start) == 0)
    }

    @Test("What a server has sent before it was found is no loss; later holes are")
    func holes() {
        var state = state()
        var outcome = state.received(messages(Self.older, 50, 2), at: start)
        #expect(outcome == .init(delivers: true, asks: true, isNew: true))
        outcome = state.received(messages(Self.older, 52, 1), at: start)
        #expect(outcome == .init(delivers: true))
        outcome = state.received(messages(Self.older, 60, 5), at: start)
        #expect(outcome == .init(delivers: true, missing: .some(7)))
        outcome = state.received(announcement(Self.older, 65), at: start)
        #expect(outcome == .init())
        outcome = state.received(announcement(Self.older, 67), at: start)
        #expect(outcome == .init(missing: .some(2)))
        #expect(state.name(of: Self.older) == "other")
    }

    @Test("Nothing is delivered twice, and late messages of a hole are not delivered")
    func twice() {
        var state = state()
        _ = state.received(messages(Self.older, 0, 2), at: start)
        #expect(state.received(messages(Self.older, 0, 2), at: start) == .init())
        #expect(state.received(messages(Self.older, 5, 1), at: start).missing == .some(3))
        #expect(state.received(messages(Self.older, 2, 3), at: start) == .init())
        // A batch that was seen in part would be a hole as a whole.
        #expect(state.received(messages(Self.older, 5, 2), at: start) == .init())
        #expect(state.received(messages(Self.older, 8, 1), at: start).missing == .some(2))
    }

    @Test("Once the others are found, a server that was not heard of is missing what it has sent")
    func lateServers() {
        let later = start + BackplaneState.settlingTime
        var state = state()
        #expect(state.received(announcement(Self.newer, 4), at: later).missing == .some(4))
        #expect(state.received(announcement(Self.older, 4), at: later).missing == .unknown)
        state = self.state()
        #expect(state.received(announcement(Self.newer, 0), at: later).missing == .none)
        // The first connection counts, not the last.
        state = self.state()
        state.connected(at: later)
        #expect(state.received(messages(Self.newer, 4, 1), at: later).missing == .some(4))
        state = self.state()
        #expect(state.received(announcement(Self.newer, 4), at: start).missing == .none)
    }

    @Test(
        "What a server had sent comes behind its end: it was declared missing, and is not delivered"
    )
    func lateBehindFarewell() {
        let later = start + BackplaneState.settlingTime
        var state = state()
        _ = state.received(messages(Self.newer, 0, 2), at: start)
        let end = announcement(Self.newer, 7, "other", .farewell)
        #expect(state.received(end, at: later).missing == .some(5))
        #expect(state.received(messages(Self.newer, 2, 5), at: later) == .init())
        #expect(state.servers(at: later) == 0)
        // Also if nothing was heard of it before its end.
        state = self.state()
        #expect(state.received(end, at: later).missing == .some(7))
        #expect(state.received(messages(Self.newer, 2, 5), at: later) == .init())
        #expect(state.servers(at: later) == 0 && state.name(of: Self.newer) == "other")
        // It is forgotten with the next new one.
        let end2 = later + BackplaneState.endedMemory + .seconds(1)
        _ = state.received(announcement(Self.older, 0), at: end2)
        #expect(state.name(of: Self.newer) == nil && state.servers(at: end2) == 1)
    }

    @Test("A server that ends tells how many messages it has sent, and does not count any more")
    func farewell() {
        var state = state()
        _ = state.received(announcement(Self.newer, 3), at: start)
        #expect(state.servers(at: start) == 1)
        let outcome = state.received(announcement(Self.newer, 5, "other", .farewell), at: start)
        #expect(outcome == .init(missing: .some(2)))
        #expect(state.servers(at: start) == 0)
        _ = state.received(announcement(Self.older, 5, "own", .farewell), at: start)
        #expect(state.servers(at: start) == 0 && state.name == "own")
    }

    @Test("Of two servers with one name the later one takes another, and both say so")
    func names() {
        var state = state()
        #expect(state.received(announcement(Self.newer, 0, "own"), at: start).answers)
        #expect(state.name == "own")
        var outcome = state.received(announcement(Self.older, 0, "own"), at: start)
        #expect(outcome.isRenamed && outcome.answers && state.name == "own-2345")
        outcome = state.received(announcement(Self.older, 0, "own"), at: start)
        #expect(!outcome.isRenamed && !outcome.answers)
        // Twice the same digits.
        outcome = state.received(announcement(Self.older, 0, "own-2345"), at: start)
        #expect(outcome.isRenamed && state.name == "own-6412345")
        let twin = ChatServerID(began: 100, random: 0x12344)
        state = self.state()
        #expect(state.received(announcement(twin, 0, "own"), at: start).isRenamed)
    }

    @Test("An announcement that asks is answered")
    func hello() {
        var state = state()
        let outcome = state.received(announcement(Self.newer, 0, "b", .hello), at: start)
        #expect(outcome == .init(answers: true, isNew: true))
    }

    @Test("Servers that are silent do not count; of too many the most silent one is forgotten")
    func silence() {
        var state = state()
        _ = state.received(announcement(Self.older, 9), at: start)
        #expect(state.servers(at: start + BackplaneState.silence) == 0)
        let later = start + .seconds(1)
        for number in 0..<BackplaneState.maxPeers {
            let id = ChatServerID(began: 200 + UInt64(number), random: 0)
            _ = state.received(announcement(id, 0, "n\(number)"), at: later)
        }
        #expect(state.servers(at: later) == BackplaneState.maxPeers)
        #expect(state.name(of: Self.older) == nil)
    }
}
