import RocketBase
import RocketSystem
import Testing

@testable import RocketProgram

@Suite struct TLSReloadTests {
    private func at(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test("Files are looked at when nothing has changed for 200 ms")
    func quiet() {
        var schedule = TLSReloadSchedule(at: at(0), keyLifetime: .seconds(8 * 3600))
        #expect(schedule.wait(at: at(0)) == .seconds(3600))
        schedule.changed(at: at(1000))
        #expect(schedule.wait(at: at(1000)) == .milliseconds(200))
        schedule.changed(at: at(1100))
        #expect(schedule.due(at: at(1299)) == [])
        #expect(schedule.due(at: at(1300)) == [.look])
        #expect(schedule.due(at: at(1600)) == [])
    }

    @Test("A folder that changes all the time is looked at after two seconds")
    func busy() {
        var schedule = TLSReloadSchedule(at: at(0), keyLifetime: .seconds(8 * 3600))
        var looks: [UInt64] = []
        for time in stride(from: UInt64(100), through: 5000, by: 100) {
            schedule.changed(at: at(time))
            if schedule.due(at: at(time)) == [.look] { looks.append(time) }
        }
        #expect(looks == [2100, 4200])
    }

    @Test("Certificates are checked every hour, keys of tickets change every eight")
    func hours() {
        var schedule = TLSReloadSchedule(at: at(0), keyLifetime: .seconds(8 * 3600))
        var actions: [[TLSReloadSchedule.Action]] = []
        for hour in 1...UInt64(8) { actions.append(schedule.due(at: at(hour * 3_600_000))) }
        #expect(
            actions == Array(repeating: [.checkExpiry], count: 7) + [[.checkExpiry, .rotateKeys]])
        // The machine slept for a week: once, not a hundred times.
        #expect(schedule.due(at: at(180 * 3_600_000)) == [.checkExpiry, .rotateKeys])
        #expect(schedule.due(at: at(180 * 3_600_000)) == [])
    }
}
