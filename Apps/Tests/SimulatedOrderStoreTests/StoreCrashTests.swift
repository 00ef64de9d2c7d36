import OrderStore
import OrderStoring
import RocketSimulation
import RocketSystem
import SimulatedOrderStore
import Testing

/// Orders that were acknowledged are on disk exactly once, whatever ends the process, whenever.
@Suite("Crashes of the order store") struct StoreCrashTests {
    @Test(
        "Acknowledged orders are on disk exactly once after kills and losses of power",
        arguments: 1...40 as ClosedRange<UInt64>)
    func randomEnds(seed: UInt64) throws {
        #expect(try randomEnds(of: StoreHost(seed: seed)).violations == [])
    }

    @Test("The same seed does the same, to the byte", arguments: [1, 2, 3] as [UInt64])
    func determinism(seed: UInt64) throws {
        let first = try randomEnds(of: StoreHost(seed: seed))
        #expect(try randomEnds(of: StoreHost(seed: seed)) == first)
    }

    @Test("Orders that a killed process has written are on disk when the next one returns them")
    func killedAtEachOperation() throws {
        for operations in 0..<200 {
            let store = try StoreHost(seed: UInt64(operations))
            try store.start()
            store.send(2, within: .milliseconds(10))
            try store.world.run(for: .milliseconds(100))
            store.endProcess(behind: operations, by: .kill)
            store.send(4, within: .milliseconds(50))
            try store.world.run(for: .milliseconds(200))
            let hasEnded = !store.host.isRunning
            store.end(by: .kill)
            try store.start()
            try store.compare()
            for draft in store.keyed { store.make(draft) }
            try store.runUntilIdle()
            store.end(by: .powerLoss)
            #expect(try outcome(of: store).violations == [], "operation \(operations)")
            if !hasEnded { return #expect(operations > 10) }
        }
        Issue.record("the process ended at each of 200 operations")
    }

    @Test(
        "Orders whose sync has failed are on disk when the next process returns them",
        arguments: [DiskSyncFailure.keeping, .dropping], 1...5 as ClosedRange<UInt64>)
    func failedSyncs(failure: DiskSyncFailure, seed: UInt64) throws {
        let store = try StoreHost(seed: seed)
        try store.start()
        store.send(3, within: .milliseconds(10))
        try store.world.run(for: .milliseconds(100))
        store.host.disk.syncFailure = failure
        store.send(3, within: .milliseconds(10))
        try store.world.run(for: .milliseconds(100))
        store.end(by: .kill)
        store.host.disk.syncFailure = nil
        try store.start()
        try store.compare()
        store.send(3, within: .milliseconds(10))
        try store.world.run(for: .milliseconds(100))
        store.end(by: .powerLoss)
        #expect(try outcome(of: store).violations == [])
    }

    @Test("A store whose creation ended at any operation is created by the next process")
    func createdAtEachOperation() throws {
        for operations in 0..<200 {
            let store = try StoreHost(seed: UInt64(operations))
            try store.start(endsBehind: operations)
            try store.world.run(for: .milliseconds(10))
            let hasEnded = !store.host.isRunning
            if !hasEnded { store.end() }
            try store.start()
            store.send(3, within: .milliseconds(10))
            try store.world.run(for: .milliseconds(100))
            store.end(by: .powerLoss)
            let outcome = try outcome(of: store)
            #expect(outcome.violations == [], "operation \(operations)")
            #expect(outcome.acknowledged > 0)
            if !hasEnded { return #expect(operations > 10) }
        }
        Issue.record("the process ended at each of 200 operations")
    }

    @Test("On a disk that ignores syncs orders are lost, and that is found")
    func ignoredSyncs() throws {
        let violations = try (1...10 as ClosedRange<UInt64>).flatMap { seed in
            let store = try StoreHost(seed: seed)
            try store.start()
            store.host.disk.ignoresSyncs = true
            store.send(5, within: .milliseconds(100))
            try store.world.run(for: .milliseconds(200))
            store.end(by: .powerLoss)
            store.host.disk.ignoresSyncs = false
            return try outcome(of: store).violations
        }
        #expect(violations.contains { $0.hasSuffix("is lost") })
    }

    @Test("A world leaves none of the real files of its store behind", arguments: [true, false])
    func realFiles(isKilled: Bool) throws {
        func path() throws -> String {
            let store = try StoreHost(seed: 1)
            try store.start()
            store.endProcess(behind: 1000, by: .kill)
            store.send(3, within: .milliseconds(10))
            try store.world.run(for: .milliseconds(100))
            if isKilled { store.end(by: .kill) } else { try store.close() }
            let path = store.place.path
            #expect(FileSystem.exists(path))
            try store.world.close()
            return path
        }
        let folder = FileSystem.folder(of: try path())
        #expect(!FileSystem.exists(folder))
    }

    private struct Outcome: Equatable {
        var violations: [String]
        var acknowledged: Int
        var operations: Int
        var counts: DiskCounts
        var traceHash: UInt64
        /// Without the log, whose salts SQLite draws from a generator of the whole process.
        var database: [UInt8]
    }

    /// Several processes of one host, one after the other.
    private func randomEnds(of store: StoreHost) throws -> Outcome {
        // With large goods the log is written into the database while the store runs.
        if store.random.chance(0.1) { store.goodsBytes = 100_000 }
        for _ in 0..<Int.random(in: 2...6, using: &store.random) {
            let range = store.random.chance(0.3) ? 0...12 : 0...150
            let operations = Int.random(in: range, using: &store.random)
            try store.start(endsBehind: store.random.chance(0.8) ? operations : nil)
            if store.random.chance(0.5) { try store.compare() }
            let span = store.random.duration(in: .milliseconds(1)...(.milliseconds(200)))
            store.send(Int.random(in: 0...30, using: &store.random), within: span)
            try store.world.run(for: span)
            if store.random.chance(0.5) { try store.runUntilIdle() }
            if store.random.chance(0.3) { try store.close() }
            store.end()
        }
        return try outcome(of: store)
    }

    /// What a last process finds, and leaves.
    private func outcome(of store: StoreHost) throws -> Outcome {
        try store.start()
        try store.compare()
        for draft in store.history.acknowledgedKeys { store.make(draft) }
        try store.runUntilIdle()
        try store.compare()
        try store.close()
        let report = try OrderStore.checkIntegrity(ofFileAt: store.place.path)
        let disk = store.host.disk
        let database = try disk.contents(of: "orders.sqlite")
        var violations = store.history.violations + report.problems
        if report.orders != store.history.orderCount {
            violations.append(
                "\(report.orders) orders in the file, \(store.history.orderCount) seen")
        }
        if try FileContents.read(store.place.path, limit: 1 << 30) != database {
            violations.append("the real file is not that of the disk")
        }
        try store.world.close()
        return Outcome(
            violations: violations, acknowledged: store.history.acknowledgedCount,
            operations: disk.operationCount, counts: disk.counts,
            traceHash: store.world.traceHash, database: database)
    }
}
