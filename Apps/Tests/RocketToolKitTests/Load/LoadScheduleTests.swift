import RocketBaseTestKit
import RocketSystem
import Testing

@testable import RocketToolKit

@Suite struct LoadScheduleTests {
    @Test("Calls of a constant rate are due at equal distances")
    func constant() {
        let schedule = LoadSchedule(from: 1000, [(.seconds(2), 1000)])
        #expect(schedule.due(0) == .zero)
        #expect(schedule.due(1) == .milliseconds(1))
        #expect(schedule.due(1999) == .milliseconds(1999))
        #expect(schedule.due(2000) == nil)
        #expect(schedule.calls(until: .seconds(1)) == 1000)
        #expect(schedule.calls(until: .seconds(9)) == 2000)
        #expect(schedule.duration == .seconds(2))
    }

    @Test("A ramp from zero has as many calls as its mean rate, the last of them close together")
    func ramp() throws {
        let schedule = LoadSchedule(from: 0, [(.seconds(10), 100)])
        #expect(schedule.due(0) == .zero)
        // The integral of 10·t is 5·t².
        #expect(schedule.due(5) == .seconds(1))
        #expect(schedule.due(125) == .seconds(5))
        #expect(schedule.due(500) == nil)
        let last = try #require(schedule.due(499))
        #expect(last < .seconds(10) && last > .milliseconds(9985))
        #expect(schedule.calls(until: .seconds(5)) == 125)
    }

    @Test("Stages follow each other: up, level, down to zero")
    func stages() {
        let schedule = LoadSchedule(
            from: 0, [(.seconds(10), 100), (.seconds(1), 100), (.seconds(10), 0)])
        #expect(schedule.due(500) == .seconds(10))
        #expect(schedule.due(550) == .milliseconds(10_500))
        #expect(schedule.due(600) == .seconds(11))
        #expect(schedule.due(1099).map { $0 < .seconds(21) } == true)
        #expect(schedule.due(1100) == nil)
        let due = (0..<1100).compactMap { schedule.due($0) }
        #expect(due == due.sorted())
        #expect(schedule.calls(until: .seconds(21)) == 1100)
    }
}

@Suite struct LoadStagesTests {
    private let up = LoadSchedule(
        from: 1, [(.seconds(10), 11), (.seconds(5), 11), (.seconds(10), 1)])
    private let start = ManualTimeSource().monotonic()

    @Test("The mean of a time is that of its part of the stages")
    func mean() {
        #expect(up.mean(from: .zero, to: .seconds(10)) == 6)
        #expect(up.mean(from: .seconds(10), to: .seconds(15)) == 11)
        // What is behind the end does not count.
        #expect(up.mean(from: .seconds(20), to: .seconds(99)) == 3.5)
        #expect(up.mean(from: .seconds(99), to: .seconds(100)) == 0)
        #expect(up.ends == [.seconds(10), .seconds(15), .seconds(25)])
    }

    @Test("A caller makes calls from when the number of callers, rounded, has reached it")
    func turns() {
        let stages = LoadStages(ofCallers: up)
        func turn(_ caller: Int, _ seconds: Double) -> Double? {
            stages.turn(ofCaller: caller, start + .seconds(seconds), since: start)
                .map { ($0 - start) / .seconds(1) }
        }
        #expect(turn(0, 0) == 0 && turn(0, 24) == 24)
        #expect(turn(1, 0) == 0.5 && turn(1, 0.5) == 0.5 && turn(1, 24) == 24)
        #expect(turn(10, 0) == 9.5 && turn(10, 15) == 15)
        // It falls again.
        #expect(turn(10, 16) == nil && turn(0, 25) == nil)
        // Of the callers that do not change all make calls at any time.
        #expect(LoadStages.none.turn(ofCaller: 7, start, since: start) == start)
        let again = LoadStages(
            ofCallers: LoadSchedule(from: 3, [(.seconds(1), 1), (.seconds(1), 3)]))
        #expect(
            again.turn(ofCaller: 2, start + .milliseconds(300), since: start)
                == start + .milliseconds(1750))
    }

    @Test("A call is in the stage in which it is due")
    func indices() {
        let stages = LoadStages(ofRate: up)
        #expect(stages.index(of: .zero, after: 0) == 0)
        #expect(stages.index(of: .seconds(10), after: 0) == 1)
        #expect(stages.index(of: .seconds(16), after: 0) == 2)
        #expect(stages.index(of: .seconds(99), after: 1) == 2)
        #expect(LoadStages.none.index(of: .seconds(1), after: 0) == 0)
    }
}

@Suite struct LoadPaceTests {
    private let time = ManualTimeSource()

    private func steps(_ pace: inout LoadPace, _ count: Int) -> [LoadPace.Step] {
        (0..<count).map { _ in pace.next(time.monotonic()) }
    }

    @Test("In a closed loop a call begins when its caller is free, until the time is over")
    func closed() {
        let start = time.monotonic()
        var pace = LoadPace(start: start, duration: .seconds(1))
        #expect(steps(&pace, 2) == [.begin(0, due: start), .begin(1, due: start)])
        time.advance(by: .milliseconds(999))
        #expect(steps(&pace, 1) == [.begin(2, due: time.monotonic())])
        time.advance(by: .milliseconds(1))
        #expect(steps(&pace, 1) == [.end])
        #expect(pace.notBegun(since: start) == 0)
    }

    @Test("The loops share the requests without a counter: each has every n-th")
    func strides() {
        let start = time.monotonic()
        var indices: [Int] = []
        for loop in 0..<3 {
            var pace = LoadPace(start: start, requests: 7, loop: loop, loops: 3)
            while case .begin(let index, _) = pace.next(start) { indices.append(index) }
        }
        #expect(indices == [0, 3, 6, 1, 4, 2, 5])
    }

    @Test("In an open loop a call that begins late counts from when it was due")
    func open() {
        let start = time.monotonic()
        var pace = LoadPace(
            schedule: LoadSchedule(from: 10, [(.seconds(1), 10)]), start: start,
            duration: .seconds(1))
        let second = start + .milliseconds(100)
        #expect(steps(&pace, 2) == [.begin(0, due: start), .wait(until: second)])
        time.advance(by: .milliseconds(250))
        #expect(
            steps(&pace, 3) == [
                .begin(1, due: second), .begin(2, due: start + .milliseconds(200)),
                .wait(until: start + .milliseconds(300)),
            ])
    }

    @Test("A caller that has waited makes the last call, even if it is woken after the end")
    func lastCall() {
        let start = time.monotonic()
        var pace = LoadPace(
            schedule: LoadSchedule(from: 10, [(.seconds(1), 10)]), start: start,
            duration: .seconds(1))
        time.advance(by: .milliseconds(850))
        for _ in 0..<9 { _ = pace.next(time.monotonic()) }
        let last = start + .milliseconds(900)
        #expect(steps(&pace, 1) == [.wait(until: last)])
        time.advance(by: .milliseconds(151))
        #expect(steps(&pace, 1) == [.end])
        #expect(pace.next(time.monotonic(), hasWaited: true) == .begin(9, due: last))
        #expect(pace.next(time.monotonic(), hasWaited: true) == .end)
        #expect(pace.notBegun(since: start) == 0)
    }

    @Test("Calls that were due and not begun at the end are counted, those of the warm-up are not")
    func notBegun() {
        let start = time.monotonic()
        func pace(_ loop: Int, _ loops: Int, requests: Int? = nil) -> LoadPace {
            LoadPace(
                schedule: LoadSchedule(from: 10, [(.seconds(1), 10)]), start: start,
                duration: .seconds(1), requests: requests, loop: loop, loops: loops)
        }
        var one = pace(0, 1)
        #expect(one.notBegun(since: start) == 10)
        _ = one.next(start)
        time.advance(by: .seconds(1))
        #expect(one.next(time.monotonic()) == .end)
        #expect(one.notBegun(since: start) == 9)
        #expect(one.notBegun(since: start + .milliseconds(500)) == 5)
        #expect(pace(0, 1, requests: 4).notBegun(since: start) == 4)
        for half in [0, 5] {
            let parts = (0..<3).map {
                pace($0, 3).notBegun(since: start + .milliseconds(half * 100))
            }
            #expect(parts.reduce(0, +) == 10 - half)
        }
    }
}
