import RocketSystem
import Testing

@testable import RocketTCP

@Suite struct ConnectRaceTests {
    private let start = MonotonicTime(nanoseconds: 1_000)

    private func race(
        _ texts: [String], attemptDelay: Duration = .milliseconds(250)
    ) throws -> ConnectRace {
        ConnectRace(try texts.map { try NetAddress(parsing: $0) }, attemptDelay: attemptDelay)
    }

    private func later(_ milliseconds: Int) -> MonotonicTime {
        start + .milliseconds(milliseconds)
    }

    @Test("Tries the families in turn, each after a delay, until one succeeds")
    func delays() throws {
        var race = try race(["[::1]:1", "[::2]:1", "10.0.0.1:1"])
        #expect(race.addresses.map(\.description) == ["[::1]:1", "10.0.0.1:1", "[::2]:1"])
        #expect(race.handle(.start, at: start) == [.begin(0), .wait(until: later(250))])
        #expect(race.handle(.start, at: start) == [])
        #expect(race.handle(.waited, at: later(260)) == [.begin(1), .wait(until: later(510))])
        #expect(race.handle(.waited, at: later(510)) == [.begin(2)])
        #expect(race.handle(.waited, at: later(510)) == [])
        #expect(race.handle(.failed(0), at: later(520)) == [])
        #expect(race.handle(.succeeded(1), at: later(530)) == [.cancel(2), .win(1)])
        #expect(race.handle(.failed(2), at: later(530)) == [])
    }

    @Test("Tries the next address at once when one fails, and loses with the last")
    func failures() throws {
        var race = try race(["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"])
        _ = race.handle(.start, at: start)
        #expect(race.handle(.failed(0), at: later(1)) == [.begin(1), .wait(until: later(251))])
        #expect(race.handle(.failed(0), at: later(1)) == [])
        #expect(race.handle(.failed(7), at: later(1)) == [])
        #expect(race.handle(.failed(1), at: later(2)) == [.begin(2), .stopWaiting])
        #expect(race.handle(.failed(2), at: later(3)) == [.lose])
    }

    @Test("Waits again for the next address when one is connected and shakes hands")
    func progress() throws {
        var race = try race(["10.0.0.1:1", "10.0.0.2:1"])
        _ = race.handle(.start, at: start)
        #expect(race.handle(.progressed(0), at: later(200)) == [.wait(until: later(450))])
        #expect(race.handle(.succeeded(0), at: later(300)) == [.stopWaiting, .win(0)])
    }

    @Test("Ends all attempts when it is cancelled")
    func cancelled() throws {
        var race = try race(["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"])
        _ = race.handle(.start, at: start)
        _ = race.handle(.waited, at: later(250))
        #expect(race.handle(.cancelled, at: later(300)) == [.stopWaiting, .cancel(0), .cancel(1)])
        #expect(race.handle(.waited, at: later(500)) == [])
    }

    @Test("Loses without an address")
    func none() throws {
        var race = try race([])
        #expect(race.handle(.start, at: start) == [.lose])
    }

    @Test("Clamps the delay to 10 ms to 2 s", arguments: [(0, 10), (5_000, 2_000), (100, 100)])
    func clamped(given: Int, used: Int) throws {
        var race = try race(
            ["10.0.0.1:1", "10.0.0.2:1"], attemptDelay: .milliseconds(given))
        #expect(race.handle(.start, at: start) == [.begin(0), .wait(until: later(used))])
    }
}
