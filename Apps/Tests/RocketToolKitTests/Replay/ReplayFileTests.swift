import RocketBinaryLog
import RocketSystem
import Testing

@testable import RocketToolKit

@Suite struct ReplayFileTests {
    private func call(_ id: UInt64, at second: Int64, method: String = "A.b") -> LoggedCall {
        var call = LoggedCall(id: id, method: method)
        call.response = .init(bytes: [], length: 0)
        call.beganAt = WallTime(nanoseconds: second * 1_000_000_000)
        call.endedAt = WallTime(nanoseconds: second * 1_000_000_000 + 2_000_000)
        return call
    }

    private func log(_ calls: [LoggedCall]) -> [UInt8] {
        var bytes: [UInt8] = []
        for call in calls { call.append(to: &bytes) }
        return bytes
    }

    @Test("calls are in the order in which they began; what is left out is said")
    func reading() throws {
        var large = call(3, at: 3)
        large.request = .init(bytes: nil, length: 100_000)
        var file = try ReplayFile.read(
            log([call(1, at: 9), call(2, at: 4), large, call(4, at: 4, method: "A.c")]))
        #expect(file.calls.map(\.id) == [2, 4, 1])
        #expect(file.notes == ["left out: 1 call without the request, which was too large"])
        file.keep("of other methods") { $0.method == "A.b" }
        #expect(file.calls.map(\.id) == [2, 1] && file.skipped == 2)
    }

    @Test("a file that ends within an entry is used up to there")
    func truncated() throws {
        let whole = log([call(1, at: 1)])
        let file = try ReplayFile.read(whole + log([call(2, at: 2)]).dropLast(1))
        #expect(file.calls.map(\.id) == [1])
        #expect(file.notes.count == 2)
        #expect(file.notes[0].contains("ends within an entry"))
        #expect(file.notes[1] == "left out: 1 call without an end in the file")
    }

    @Test("calls are due at a rate, or at the recorded pace times a factor")
    func pace() {
        let (first, later) = (call(1, at: 10), call(2, at: 14))
        #expect(ReplayPace.asFastAsPossible.due(1, later, first: first) == nil)
        #expect(ReplayPace.rate(4).due(2, later, first: first) == .milliseconds(500))
        #expect(ReplayPace.recorded(speed: 2).due(1, later, first: first) == .seconds(2))
        #expect(ReplayPace.recorded(speed: 1).due(1, first, first: later) == .zero)
        var never = later
        never.beganAt = WallTime(nanoseconds: .max)
        #expect(ReplayPace.recorded(speed: 0.001).due(1, never, first: first) == .seconds(1e9))
        #expect(ReplayPace.rate(0.001).due(.max, never, first: first) == .seconds(1e9))
    }

    @Test("a report counts by method, and keeps what differs")
    func report() throws {
        var report = ReplayReport(file: "f", server: "s", skipped: 1, notes: [])
        func result(_ id: UInt64, _ outcome: ReplayOutcome) -> ReplayResult {
            ReplayResult(call: call(id, at: 1), outcome: outcome, duration: .milliseconds(3))
        }
        let difference = FieldDifference(path: "price", recorded: "100", now: "101")
        report.add([
            result(1, .equal), result(17, .different([difference])),
            result(18, .failed("UNAVAILABLE: away")),
        ])
        #expect((report.calls, report.equal, report.different, report.failed) == (3, 1, 1, 1))
        #expect(!report.isEqual)
        let lines = report.lines(differences: 1)
        #expect(lines[1].split(separator: " ") == ["A.b", "3", "1", "1", "1", "2.000", "3.000"])
        #expect(
            lines[3...] == ["A.b #17: price: 100 -> 101", "and 1 more (--differences, --json)"])
        #expect(report.lines(differences: 2)[4] == "A.b #18: UNAVAILABLE: away")
        #expect(try report.json().contains(#""path":"price","recorded":"100""#))
    }
}
