import RocketSimulation
import Testing

@Suite("SimulatedDisk") struct SimulatedDiskTests {
    private let disk = SimulatedDisk()

    private func bytes(_ value: UInt8, _ count: Int = 2000) -> [UInt8] {
        Array(repeating: value, count: count)
    }

    @Test("Reads return what was written, with zeros in holes, and fewer bytes at the end")
    func reads() throws {
        try disk.write([1, 2, 3], to: "a", at: 2)
        #expect(try disk.contents(of: "a") == [0, 0, 1, 2, 3])
        #expect(try disk.read(10, of: "a", at: 3) == [2, 3])
        #expect(try disk.read(1, of: "a", at: 9) == [])
        try disk.truncate("a", to: 3)
        try disk.rename("a", to: "b")
        #expect(disk.paths == ["b"] && disk.size(of: "b") == 3 && disk.size(of: "a") == nil)
        try disk.remove("b")
        #expect(throws: DiskError.missing) { try disk.contents(of: "b") }
    }

    @Test("The end of the process loses nothing, and a loss of power nothing that was synced")
    func durability() throws {
        var generator = SeededGenerator(seed: 1)
        try disk.write(bytes(1), to: "a", at: 0)
        disk.kill()
        #expect(try disk.contents(of: "a") == bytes(1))
        try disk.sync("a")
        disk.losePower(using: &generator)
        #expect(try disk.contents(of: "a") == bytes(1))
        #expect(disk.counts.kills == 1 && disk.counts.powerLosses == 1)
        #expect(disk.counts.bytesLost == 0 && disk.counts.syncs == 1)
    }

    @Test("Writes that were not synced survive, are lost, or are torn at sectors, each by itself")
    func powerLoss() throws {
        var outcomes: Set<[UInt8]> = []
        for seed in 0..<500 as Range<UInt64> {
            let disk = SimulatedDisk()
            try disk.write(bytes(1), to: "a", at: 0)
            try disk.sync("a")
            // Begins in the middle of a sector.
            try disk.write(bytes(2, 600), to: "a", at: 100)
            try disk.write(bytes(3, 100), to: "a", at: 1900)
            var generator = SeededGenerator(seed: seed)
            disk.losePower(using: &generator)
            let left = try disk.contents(of: "a")
            #expect(left.count == 2000)
            // Nothing outside of the writes has changed.
            #expect(left[..<100].allSatisfy { $0 == 1 } && left[700..<1900].allSatisfy { $0 == 1 })
            for sector in [100..<512, 512..<700, 1900..<2000] {
                #expect(Set(left[sector]).count == 1)
            }
            #expect(
                disk.counts.bytesLost == left[100..<700].count { $0 == 1 }
                    + left[1900...].count { $0 == 1 })
            outcomes.insert([left[100], left[600], left[1950]])
        }
        #expect(outcomes.count == 8)
    }

    @Test("A truncation that was not synced may be undone, and a file that grew have holes")
    func truncation() throws {
        var sizes: Set<Int> = []
        for seed in 0..<200 as Range<UInt64> {
            let disk = SimulatedDisk()
            try disk.write(bytes(1, 600), to: "a", at: 0)
            try disk.sync("a")
            try disk.truncate("a", to: 100)
            try disk.write([9], to: "a", at: 1000)
            var generator = SeededGenerator(seed: seed)
            disk.losePower(using: &generator)
            let left = try disk.contents(of: "a")
            sizes.insert(left.count)
            if left.count == 1001 { #expect(left[999] == 0 && left[1000] == 9) }
        }
        #expect(sizes == [100, 600, 1001])
    }

    @Test("Equal seeds leave the same")
    func determinism() throws {
        func left(_ seed: UInt64) throws -> [UInt8] {
            let disk = SimulatedDisk()
            for number in 0..<50 { try disk.write(bytes(UInt8(number)), to: "a", at: number * 777) }
            var generator = SeededGenerator(seed: seed)
            disk.losePower(using: &generator)
            return try disk.contents(of: "a")
        }
        #expect(try left(7) == left(7))
        #expect(try Set((0..<20).map(left)).count > 10)
    }

    @Test("A full disk writes nothing more until something is removed")
    func full() throws {
        disk.freeBytes = 2000
        try disk.write(bytes(1, 1500), to: "a", at: 0)
        try disk.write(bytes(2, 1500), to: "a", at: 0)
        #expect(throws: DiskError.full) { try disk.write(bytes(3, 501), to: "b", at: 0) }
        #expect(throws: DiskError.full) { try disk.truncate("a", to: 2001) }
        #expect(disk.counts.failures == 2 && disk.paths == ["a"])
        try disk.truncate("a", to: 1000)
        #expect(disk.freeBytes == 1000)
        try disk.remove("a")
        #expect(disk.freeBytes == 2000)
        try disk.write(bytes(3, 2000), to: "b", at: 0)
    }

    @Test("Writes and syncs fail on request; the changes of a failed sync are kept, or dropped")
    func failures() throws {
        try disk.write([1], to: "a", at: 0)
        disk.failsWrites = true
        #expect(throws: DiskError.failed) { try disk.write([2], to: "a", at: 0) }
        disk.failsWrites = false
        disk.syncFailure = .keeping
        #expect(throws: DiskError.failed) { try disk.sync("a") }
        disk.syncFailure = nil
        try disk.sync("a")
        try disk.write([2], to: "a", at: 1)
        disk.syncFailure = .dropping
        #expect(throws: DiskError.failed) { try disk.sync("a") }
        disk.syncFailure = nil
        try disk.write([3], to: "a", at: 2)
        try disk.sync("a")
        #expect(try disk.contents(of: "a") == [1, 2, 3])
        var generator = SeededGenerator(seed: 1)
        disk.losePower(using: &generator)
        #expect(try disk.contents(of: "a") == [1, 0, 3])
    }

    @Test("Stops in the middle of the operation that was asked for, and runs again after the end")
    func stop() throws {
        try disk.create("a", [1])
        disk.stop(afterOperations: 1)
        try disk.write([2], to: "a", at: 1)
        #expect(throws: DiskError.stopped) { try disk.write([3], to: "a", at: 2) }
        #expect(disk.isStopped)
        #expect(throws: DiskError.stopped) { try disk.contents(of: "a") }
        #expect(throws: DiskError.stopped) { try disk.sync("a") }
        disk.kill()
        #expect(try disk.contents(of: "a") == [1, 2, 3])
        disk.stop(afterOperations: 0)
        #expect(throws: DiskError.stopped) { try disk.remove("a") }
        disk.kill()
        #expect(disk.paths == ["a"])
    }

    @Test("A disk that ignores syncs loses what was synced")
    func ignoredSyncs() throws {
        var generator = SeededGenerator(seed: 1)
        disk.ignoresSyncs = true
        for offset in 0..<50 {
            try disk.write(bytes(1), to: "a", at: offset * 2000)
            try disk.sync("a")
        }
        disk.losePower(using: &generator)
        #expect(disk.counts.bytesLost > 0 && disk.counts.failures == 0)
    }
}
