import RocketBase
import RocketSystem
import RocketTCP
import Testing

@Suite struct ServerConfigTests {
    private func applied(_ change: (inout ServerConfig) -> Void = { _ in })
        -> TCPServerConfiguration
    {
        var config = ServerConfig()
        change(&config)
        var tcp = TCPServerConfiguration(listen: [])
        tcp.apply(config)
        return tcp
    }

    @Test("Applies limits, the mode of Unix sockets, and the memory budget")
    func values() {
        let tcp = applied {
            $0.maxConnections = 100
            $0.maxConnectionsPerPeer = 7
            $0.memoryBudgetBytes = 5 << 20
            $0.unixMode = 0o660
            $0.idleTimeout = .zero
        }
        #expect(tcp.maxConnections == 100 && tcp.maxConnectionsPerPeer == 7)
        #expect(tcp.budget.limitBytes == 5 << 20)
        #expect(tcp.unixMode == 0o660 && tcp.connection.idleTimeout == nil)
    }

    @Test("Chooses the share of a peer and the memory budget by itself where they are 0")
    func defaults() {
        let tcp = applied()
        #expect(tcp.maxConnectionsPerPeer == nil)
        #expect(tcp.budget.limitBytes >= 64 << 20)
        #expect(tcp.unixMode == 0o600)
    }

    @Test("The automatic budget is half of what the process may use, and 64 MiB at least")
    func automaticBudget() {
        func limit(_ kilobytes: Int) -> Int {
            ByteBudget.automaticLimitBytes(
                SystemMemory { $0 == "/proc/meminfo" ? "MemAvailable: \(kilobytes) kB\n" : nil })
        }
        #expect(limit(1 << 20) == 512 << 20)
        #expect(limit(1) == 64 << 20)
        #expect(ByteBudget.automaticLimitBytes(SystemMemory { _ in nil }) == 1 << 30)
    }
}
