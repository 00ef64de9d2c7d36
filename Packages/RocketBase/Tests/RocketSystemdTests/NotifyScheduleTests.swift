import RocketSystem
import Testing

@testable import RocketSystemd

@Suite struct NotifyScheduleTests {
    let start = MonotonicTime(nanoseconds: 5_000_000_000)

    func at(_ seconds: Double) -> MonotonicTime { start + .seconds(seconds) }

    @Test func aStatusIsDueOnceASecond() {
        var duties = NotifySchedule(watchdogTimeout: nil, now: start)
        #expect(duties.wait(at: start) == .seconds(1))
        #expect(duties.due(at: at(0.9), allHaveAnswered: true) == [])
        #expect(duties.due(at: at(1), allHaveAnswered: true) == [.status])
        #expect(duties.due(at: at(1.5), allHaveAnswered: true) == [])
        #expect(duties.due(at: at(2), allHaveAnswered: true) == [.status])
    }

    @Test func theWatchdogHearsAtHalfOfItsTime() {
        var duties = NotifySchedule(watchdogTimeout: .seconds(1), now: start)
        #expect(duties.wait(at: start) == .seconds(0.5))
        #expect(duties.due(at: at(0.4), allHaveAnswered: true) == [])
        #expect(duties.due(at: at(0.5), allHaveAnswered: true) == [.keepAlive])
        #expect(duties.due(at: at(0.9), allHaveAnswered: true) == [])
        #expect(duties.due(at: at(1), allHaveAnswered: true) == [.keepAlive, .status])
    }

    @Test func aSilentPartKeepsTheWordBackAndIsNamedOnce() {
        var duties = NotifySchedule(watchdogTimeout: .seconds(8), now: start)
        #expect(duties.due(at: at(4), allHaveAnswered: false).contains(.complain))
        #expect(duties.due(at: at(4.5), allHaveAnswered: false) == [])
        #expect(duties.due(at: at(5), allHaveAnswered: false) == [.status])
        #expect(duties.due(at: at(7.9), allHaveAnswered: false) == [.status])
    }

    @Test func aLateAnswerIsPassedOnAtOnce() {
        var duties = NotifySchedule(watchdogTimeout: .seconds(8), now: start)
        _ = duties.due(at: at(4), allHaveAnswered: false)
        #expect(duties.wait(at: at(4)) == .seconds(0.5))
        #expect(duties.due(at: at(4.5), allHaveAnswered: true) == [.keepAlive])
        #expect(duties.due(at: at(8.5), allHaveAnswered: false).contains(.complain))
    }

    @Test func moreTimeIsAskedForEachSecondOfTheDrainAndNoLonger() {
        var duties = NotifySchedule(watchdogTimeout: nil, now: start)
        let first = duties.stop(within: .seconds(2.5), now: start)
        #expect(first == .extendTimeout(.seconds(5)))
        #expect(
            duties.due(at: at(1), allHaveAnswered: true)
                == [.status, .extendTimeout(.seconds(5))])
        #expect(
            duties.due(at: at(2), allHaveAnswered: true)
                == [.status, .extendTimeout(.seconds(5))])
        #expect(duties.due(at: at(3), allHaveAnswered: true) == [.status])
    }
}
