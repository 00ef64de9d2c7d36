import RocketBase
import RocketSystem
import Testing

@testable import RocketSystemd

/// A watchdog target that acknowledges when the test calls `acknowledgeOldest`.
private final class ManualTarget: Sendable {
    private let probes = Locked<[@Sendable () -> Void]>([])

    func target(_ name: String) -> WatchdogTarget {
        WatchdogTarget(name: name) { acknowledge in
            self.probes.withLock { $0.append(acknowledge) }
        }
    }

    func acknowledgeOldest() { probes.withLock { $0.removeFirst() }() }
}

@Suite struct WatchdogRoundTests {
    @Test("No target is unacknowledged before the first round")
    func beforeFirstRound() {
        let round = WatchdogRound()
        round.add(ManualTarget().target("loop"))
        #expect(round.unacknowledged == [])
    }

    @Test("Targets are unacknowledged until they acknowledge")
    func unacknowledged() {
        let round = WatchdogRound()
        let (loop, store) = (ManualTarget(), ManualTarget())
        round.add(loop.target("loop"))
        round.add(store.target("store"))
        round.start()
        #expect(round.unacknowledged == ["loop", "store"])
        store.acknowledgeOldest()
        #expect(round.unacknowledged == ["loop"])
        loop.acknowledgeOldest()
        #expect(round.unacknowledged == [])
    }

    @Test("Acknowledgements of earlier rounds are ignored")
    func earlierRounds() {
        let round = WatchdogRound()
        let loop = ManualTarget()
        round.add(loop.target("loop"))
        round.start()
        round.start()
        loop.acknowledgeOldest()
        #expect(round.unacknowledged == ["loop"])
        loop.acknowledgeOldest()
        #expect(round.unacknowledged == [])
    }

    @Test("A target may acknowledge at once")
    func immediateAcknowledgement() {
        let round = WatchdogRound()
        round.add(WatchdogTarget(name: "ended") { $0() })
        round.start()
        #expect(round.unacknowledged == [])
    }
}
