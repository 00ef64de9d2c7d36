import RocketRPC
import RocketSimulation
import RocketSimulationScenarios
import RocketSystem
import Testing

@Suite("Disks of hosts") struct HostDiskTests {
    private let bytes = [UInt8](repeating: 1, count: 5000)

    @Test("A killed host keeps what it has written")
    func killed() throws {
        let world = World(seed: 1)
        let host = try world.host("host")
        try host.disk.write(bytes, to: "a", at: 0)
        host.kill()
        try host.start()
        #expect(try host.disk.contents(of: "a") == bytes)
        #expect(host.disk.counts.kills == 1)
        try world.close()
    }

    @Test("A host that loses its power loses or tears what was not synced, by the world's seed")
    func lostPower() throws {
        func left(_ seed: UInt64) throws -> [UInt8] {
            let world = World(seed: seed)
            let host = try world.host("host")
            try host.disk.write(bytes, to: "a", at: 0)
            try host.disk.sync("a")
            for offset in 0..<20 { try host.disk.write([2, 3, 4], to: "a", at: offset * 100) }
            host.losePower()
            try world.close()
            return try host.disk.contents(of: "a")
        }
        #expect(try Set((1...10).map(left)).count > 5)
        #expect(try left(7) == left(7))
    }

    @Test("A process is killed in the middle of an operation of its disk")
    func killedByItsDisk() throws {
        let world = World(seed: 1)
        let host = try world.host("host")
        host.disk.stop(afterOperations: 2) { world.schedule(after: .zero) { host.kill() } }
        let written = Locked(0)
        host.run {
            for number in 0..<10 {
                try host.disk.write([UInt8(number)], to: "a", at: number)
                written.withLock { $0 += 1 }
                try await host.sleep(for: .milliseconds(1))
            }
        }
        // The task fails with the disk; the world does not observe how a dying process ends.
        try world.run(for: .seconds(1))
        #expect(written.withLock { $0 } == 2)
        #expect(!host.isRunning)
        #expect(try host.disk.contents(of: "a") == [0, 1, 2])
        try world.close()
    }

    @Test("A host is freed although its disk was to stop later")
    func freed() throws {
        func closed() throws -> () -> Host? {
            let world = World(seed: 1)
            let host = try world.host("host")
            host.disk.stop(afterOperations: 10) { host.kill() }
            try world.close()
            return { [weak host] in host }
        }
        #expect(try closed()() == nil)
    }

    @Test("What is to end with a process ends before its disk, and once")
    func killHandlers() throws {
        let world = World(seed: 1)
        let ends = Locked<[String]>([])
        let host = try world.host("host") { host in
            let start = host.starts
            host.onKill {
                ends.withLock {
                    $0.append("\(start): \(host.isRunning), \(host.disk.counts.kills)")
                }
            }
        }
        host.kill()
        host.kill()
        try host.start()
        host.losePower()
        try host.start()
        try world.close()
        #expect(ends.withLock { $0 } == ["1: false, 0", "2: false, 1"])
    }

    @Test("What services use is closed when their server has drained, and not after a kill")
    func afterwards() throws {
        let world = World(seed: 1)
        let ends = Locked<[UInt64]>([])
        let host = try world.host("host") { host in
            let start = host.starts
            try host.serve([EchoService(host: host)], port: 80) {
                $0.ioThreads = 1
            } afterwards: {
                try? await host.sleep(for: .milliseconds(5))
                ends.withLock { $0.append(start) }
            }
        }
        try world.run(for: .seconds(1))
        host.kill()
        try host.start()
        try world.run(for: .seconds(1))
        try world.close()
        #expect(ends.withLock { $0 } == [2])
    }
}
