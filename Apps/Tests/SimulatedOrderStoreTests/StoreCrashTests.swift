import OrderStore
import RocketBaseTestKit
import RocketReactorTestKit
import RocketSimulation
import RocketSystem
import SimulatedOrderStore
import Testing

/// Orders that were acknowledged are on disk exactly once, whatever ends the process, whenever.
@Suite("Crashes of the order store") struct StoreCrashTests {
    @Test("Acknowledged orders are on disk exactly once after kills and losses of power")
    func randomEnds() throws {
        for seed in 1...200 as ClosedRange<UInt64> {
            let outcome = try randomEnds(seed: seed)
            #expect(outcome.violations == [], "seed \(seed)")
            if !outcome.violations.isEmpty { return }
        }
    }

    @Test("The same seed does the same, to the byte")
    func determinism() throws {
        for seed in [1, 2, 3] as [UInt64] {
            let first = try randomEnds(seed: seed)
            #expect(try randomEnds(seed: seed) == first)
        }
    }

    private struct Outcome: Equatable {
        var violations: [String]
        var acknowledged: Int
        var operations: Int
        var counts: DiskCounts
        var time: MonotonicTime
        /// Without the log, whose salts SQLite draws from a generator of the whole process.
        var database: [UInt8]
    }

    /// Several processes of one host, one after the other.
    private func randomEnds(seed: UInt64) throws -> Outcome {
        let host = try StoreHost(seed: seed)
        // With large goods the log is written into the database while the store runs.
        if host.generator.chance(0.1) { host.goodsBytes = 100_000 }
        for _ in 0..<Int.random(in: 2...6, using: &host.generator) {
            if host.generator.chance(0.8) {
                let range = host.generator.chance(0.3) ? 0...12 : 0...150
                host.disk.stop(afterOperations: Int.random(in: range, using: &host.generator))
            }
            runProcess(of: host)
            if host.generator.chance(0.3), !host.disk.isStopped, host.store != nil {
                host.close()
            }
            if host.generator.chance(0.6) { host.losePower() } else { host.kill() }
        }
        try host.open()
        host.compare()
        let report = try OrderStore.checkIntegrity(ofFileAt: host.files.path)
        #expect(report.isSound, "seed \(seed): \(report)")
        #expect(report.orders == host.ledger.orderCount)
        host.close()
        return Outcome(
            violations: host.ledger.violations, acknowledged: host.ledger.acknowledgedCount,
            operations: host.disk.operationCount, counts: host.disk.counts,
            time: host.hand.clock.monotonic(), database: try host.disk.contents(of: "orders.sqlite")
        )
    }

    private func runProcess(of host: StoreHost) {
        do { try host.open() } catch {
            #expect(host.disk.isStopped, "\(error)")
            return
        }
        if host.generator.chance(0.5) { host.compare() }
        let count = Int.random(in: 0...30, using: &host.generator)
        host.run(
            for: .milliseconds(Int.random(in: 1...200, using: &host.generator)), sending: count)
        if host.generator.chance(0.5) { host.runUntilIdle() }
    }
}
