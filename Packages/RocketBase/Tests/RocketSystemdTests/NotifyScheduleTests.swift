import RocketSystem
import Testing

@testable import RocketSystemd

@Suite struct NotifyScheduleTests {
    let start = MonotonicTime(nanoseconds: 5_000_000_000)

    func at(_ seconds: Double) -> MonotonicTime { start + .seconds(seconds) }

    @Test("A status is due once a second")
    func statuses() {
        var schedule = NotifySchedule(watchdogTimeout: nil, now: start)
        #expect(schedule.wait(at: start) == .seconds(1))
        #expect(schedule.due(at: at(0.9), allAcknowledged: true) == [])
        #expect(schedule.due(at: at(1), allAcknowledged: true) == [.sendStatus])
        #expect(schedule.due(at: at(1.5), allAcknowledged: true) == [])
        #expect(schedule.due(at: at(2), allAcknowledged: true) == [.sendStatus])
    }

    @Test("WATCHDOG=1 is due at half of the timeout")
    func keepAlives() {
        var schedule = NotifySchedule(watchdogTimeout: .seconds(1), now: start)
        #expect(schedule.wait(at: start) == .seconds(0.5))
        #expect(schedule.due(at: at(0.4), allAcknowledged: true) == [])
        #expect(schedule.due(at: at(0.5), allAcknowledged: true) == [.keepAlive])
        #expect(schedule.due(at: at(0.9), allAcknowledged: true) == [])
        #expect(schedule.due(at: at(1), allAcknowledged: true) == [.keepAlive, .sendStatus])
    }

    @Test("A stuck target withholds WATCHDOG=1 and is reported once")
    func stuckTarget() {
        var schedule = NotifySchedule(watchdogTimeout: .seconds(8), now: start)
        #expect(schedule.due(at: at(4), allAcknowledged: false).contains(.reportStuck))
        #expect(schedule.due(at: at(4.5), allAcknowledged: false) == [])
        #expect(schedule.due(at: at(5), allAcknowledged: false) == [.sendStatus])
        #expect(schedule.due(at: at(7.9), allAcknowledged: false) == [.sendStatus])
    }

    @Test("WATCHDOG=1 is due soon after a late acknowledgement")
    func lateAcknowledgement() {
        var schedule = NotifySchedule(watchdogTimeout: .seconds(8), now: start)
        _ = schedule.due(at: at(4), allAcknowledged: false)
        #expect(schedule.wait(at: at(4)) == .seconds(0.5))
        #expect(schedule.due(at: at(4.5), allAcknowledged: true) == [.keepAlive])
        #expect(schedule.due(at: at(8.5), allAcknowledged: false).contains(.reportStuck))
    }

    @Test("The stop timeout is extended each second of the drain and not after it")
    func extensions() {
        var schedule = NotifySchedule(watchdogTimeout: nil, now: start)
        let first = schedule.stop(within: .seconds(2.5), now: start)
        #expect(first == .extendTimeout(.seconds(5)))
        #expect(
            schedule.due(at: at(1), allAcknowledged: true)
                == [.sendStatus, .extendTimeout(.seconds(5))])
        #expect(
            schedule.due(at: at(2), allAcknowledged: true)
                == [.sendStatus, .extendTimeout(.seconds(5))])
        #expect(schedule.due(at: at(3), allAcknowledged: true) == [.sendStatus])
    }
}
