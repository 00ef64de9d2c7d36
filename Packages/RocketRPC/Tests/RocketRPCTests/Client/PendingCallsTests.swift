import RocketBaseTestKit
import RocketSystem
import Testing

@testable import RocketRPC

@Suite struct PendingCallsTests {
    func id(_ text: String) throws -> CallID {
        try #require(unsafe CallID([UInt8](text.utf8).span.bytes))
    }

    @Test("A call is removed once")
    func removedOnce() throws {
        let calls = PendingTable()
        #expect(calls.insert(7, id: try id("a"), deadline: nil))
        #expect(!calls.insert(8, id: try id("a"), deadline: nil))
        #expect(calls.remove(try id("a"))?.call == 7)
        #expect(calls.remove(try id("a")) == nil)
        #expect(calls.count == 0 && calls.waitingCount == 0)
    }

    @Test("Only expired calls are removed by their deadlines")
    func expired() throws {
        let calls = PendingTable()
        for number in 1...3 {
            _ = calls.insert(
                number, id: try id("\(number)"),
                deadline: MonotonicTime(nanoseconds: UInt64(number) * 10))
        }
        #expect(calls.nextDeadline == MonotonicTime(nanoseconds: 10))
        #expect(calls.remove(try id("1"))?.call == 1)
        #expect(calls.removeExpired(now: MonotonicTime(nanoseconds: 19)) == nil)
        #expect(calls.removeExpired(now: MonotonicTime(nanoseconds: 20))?.call == 2)
        #expect(calls.removeAll() == [3])
        #expect(calls.removeAll().isEmpty)
        #expect(calls.nextDeadline == nil)
    }

    @Test("Deadlines in any order expire in the order of time, those of ended calls not at all")
    func deadlinesInAnyOrder() throws {
        var random = SplitMix(seed: 23)
        let calls = PendingTable()
        var expected: [(time: UInt64, call: Int)] = []
        var now: UInt64 = 0
        for number in 0..<5000 {
            // Mostly one time-out, sometimes another one.
            let time = now + (Int.random(in: 0..<4, using: &random) == 0 ? 30 : 100)
            let deadline = MonotonicTime(nanoseconds: time)
            #expect(calls.insert(number, id: try id("\(number)"), deadline: deadline))
            expected.append((time, number))
            for _ in 0..<Int.random(in: 0..<3, using: &random) where !expected.isEmpty {
                let ended = expected.remove(at: .random(in: expected.indices, using: &random))
                #expect(calls.remove(try id("\(ended.call)"))?.call == ended.call)
            }
            now += UInt64.random(in: 0..<3, using: &random)
            let earliest = expected.map(\.time).min() ?? .max
            #expect((calls.nextDeadline?.nanoseconds ?? .max) <= earliest)
            while let expired = calls.removeExpired(now: MonotonicTime(nanoseconds: now)) {
                let index = try #require(expected.firstIndex { $0.call == expired.call })
                #expect(expected[index].time <= now)
                #expect(expected[index].time == expected.map(\.time).min())
                expected.remove(at: index)
            }
            #expect(expected.allSatisfy { $0.time > now })
        }
        #expect(calls.count == expected.count)
    }

    @Test("A few calls with far deadlines don't keep those of later calls out of the list")
    func farDeadlines() throws {
        let calls = PendingTable()
        let far = PendingCalls<Int>.longestSearch
        func insert(_ number: Int, _ time: Int) throws {
            let deadline = MonotonicTime(nanoseconds: UInt64(time))
            #expect(calls.insert(number, id: try id("\(number)"), deadline: deadline))
        }
        for number in 0..<far { try insert(number, 1_000_000) }
        for number in 100..<200 { try insert(number, number) }
        #expect(calls.queuedCount == 0)
        // One more, and those of later calls are too far from the end.
        try insert(50, 1_000_000)
        try insert(200, 150)
        #expect(calls.queuedCount == 1)
        var ended: [Int] = []
        while let entry = calls.removeExpired(now: MonotonicTime(nanoseconds: 1_000_000)) {
            ended.append(entry.call)
        }
        #expect(ended == Array(100...150) + [200] + Array(151..<200) + Array(0..<far) + [50])
        #expect(calls.count == 0 && calls.queuedCount == 0 && calls.nextDeadline == nil)
    }

    @Test("A call changes its stage, and is found by the connection it was sent on")
    func stages() throws {
        let calls = PendingTable()
        _ = calls.insert(1, id: try id("a"), deadline: nil)
        _ = calls.insert(2, id: try id("b"), deadline: nil)
        #expect(calls.waitingCount == 2)
        calls.move(try id("b"), to: .sent(on: 5, end: 200))
        calls.move(try id("a"), to: .sent(on: 5, end: 300))
        #expect(calls.waitingCount == 0)
        #expect(calls.sent(on: 5).map(\.end) == [200, 300])
        #expect(calls.sent(on: 6).isEmpty)
        #expect(calls.remove(try id("a"), sentOn: 6) == nil)
        calls.move(try id("a"), to: .backingOff)
        #expect(calls.remove(try id("a"), sentOn: 5) == nil)
        calls.move(try id("a"), to: .waiting)
        calls.move(try id("a"), to: .sent(on: 6, end: 10))
        let entry = try #require(calls.remove(try id("a"), sentOn: 6))
        #expect(entry.call == 1 && entry.attempts == 2 && entry.lastConnection == 6)
        calls.move(try id("a"), to: .waiting)
        #expect(calls.count == 1 && calls.waitingCount == 0)
    }

    @Test("Ids are compared by all their bytes")
    func idEquality() throws {
        let long = String(repeating: "1", count: 49)
        #expect(try id(long) != id(String(long.dropLast())))
        #expect(try id("\0") != id(""))
        #expect(try id(long) == id(long))
        #expect(CallID([UInt8](repeating: 0, count: 50).span.bytes) == nil)
    }

    /// Sending, replies, losses, back-offs, deadlines, cancellations and closes in random order,
    /// compared with a model.
    @Test("Any interleaving removes each call exactly once, as in a model", arguments: 0..<50)
    func everyInterleaving(seed: UInt64) throws {
        typealias Stage = PendingCalls<Int>.Stage
        var random = SplitMix(seed: seed)
        let calls = PendingTable()
        var model: [Int: (stage: Stage, deadline: MonotonicTime?)] = [:]
        var ended: [Int: Int] = [:]
        var inserted = 0
        var now: UInt64 = 0
        func end(_ call: Int) {
            ended[call, default: 0] += 1
            model[call] = nil
        }
        for _ in 0..<2000 {
            let any = Int.random(in: 0..<max(1, inserted), using: &random)
            let anyID = try id("\(any)")
            switch Int.random(in: 0..<13, using: &random) {
            case 0..<5:
                let deadline =
                    Bool.random(using: &random)
                    ? MonotonicTime(nanoseconds: now + .random(in: 0..<100, using: &random)) : nil
                #expect(
                    calls.insert(inserted, id: try id("\(inserted)"), deadline: deadline))
                model[inserted] = (.waiting, deadline)
                inserted += 1
            case 5..<7:
                let stage =
                    [
                        Stage.waiting, .parked(on: 1), .backingOff, .sent(on: 1, end: 1),
                        .sent(on: 2, end: UInt64(any)),
                    ].randomElement(using: &random) ?? .waiting
                calls.move(anyID, to: stage)
                if model[any] != nil { model[any]?.stage = stage }
            case 7..<9:
                let connection = Int.random(in: 1...2, using: &random)
                let entry = calls.remove(anyID, sentOn: connection)
                if let call = entry?.call { end(call) }
                if case .sent(connection, _)? = model[any]?.stage { Issue.record("not found") }
            case 9:
                if let call = calls.remove(anyID)?.call { end(call) }
            case 10:
                now += .random(in: 0..<50, using: &random)
                let time = MonotonicTime(nanoseconds: now)
                while let entry = calls.removeExpired(now: time) { end(entry.call) }
                #expect(!model.values.contains { $0.deadline.map { $0 <= time } ?? false })
            case 11:
                // A connection is lost.
                let lost = calls.sent(on: 2)
                #expect(
                    lost.count
                        == model.values.count {
                            if case .sent(2, _) = $0.stage { true } else { false }
                        })
                for (slot, _) in lost {
                    if let call = calls.remove(slot)?.call { end(call) }
                }
            default:
                guard Int.random(in: 0..<50, using: &random) == 0 else { continue }
                for call in calls.removeAll() { end(call) }
            }
            #expect(calls.count == model.count)
            #expect(
                calls.waitingCount
                    == model.values.count { [.waiting, .parked(on: 1)].contains($0.stage) })
        }
        for call in calls.removeAll() { end(call) }
        #expect(ended.count == inserted)
        #expect(ended.values.allSatisfy { $0 == 1 })
    }
}

/// Pending calls, addressed by ids. A class, since `#expect` copies its operands.
final class PendingTable {
    private var calls = PendingCalls<Int>()

    var count: Int { calls.count }
    var waitingCount: Int { calls.waitingCount }
    var nextDeadline: MonotonicTime? { calls.nextDeadline }
    var queuedCount: Int { calls.queuedCount }

    func insert(_ call: Int, id: CallID, deadline: MonotonicTime?) -> Bool {
        calls.insert(call, id: id, deadline: deadline) != nil
    }
    func move(_ id: CallID, to stage: PendingCalls<Int>.Stage) {
        if let slot = calls.find(id) { calls.move(slot, to: stage) }
    }
    func remove(_ id: CallID) -> PendingCalls<Int>.Entry? {
        guard let slot = calls.find(id) else { return nil }
        return remove(slot)
    }
    func remove(_ id: CallID, sentOn connection: Int) -> PendingCalls<Int>.Entry? {
        let slot = id.withBytes { calls.find($0, id.hash, sentOn: connection) }
        guard let slot else { return nil }
        return remove(slot)
    }
    func remove(_ slot: Int) -> PendingCalls<Int>.Entry? {
        let entry = calls[slot]
        return calls.remove(slot) == nil ? nil : entry
    }
    func removeExpired(now: MonotonicTime) -> PendingCalls<Int>.Entry? {
        calls.removeExpired(now: now)
    }
    func removeAll() -> [Int] { calls.removeAll() }
    func sent(on connection: Int) -> [(slot: Int, end: UInt64)] { calls.sent(on: connection) }
}
