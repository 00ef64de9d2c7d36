import RocketBase
import RocketSystem
import Testing

@testable import RocketTCP

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
            $0.handshakeTimeout = .seconds(3)
            $0.handshakeThreads = 5
            $0.balancesConnections = false
        }
        #expect(tcp.maxConnections == 100 && tcp.maxConnectionsPerPeer == 7)
        #expect(tcp.budget.limitBytes == 5 << 20)
        #expect(tcp.unixMode == 0o660 && tcp.connection.idleTimeout == nil)
        #expect(!tcp.balancesConnections && applied().balancesConnections)
        #expect(tcp.handshakeThreads == 5 && tcp.connection.handshakeTimeout == .seconds(3))
    }

    @Test("Chooses the share of a peer and the memory budget by itself where they are 0")
    func defaults() {
        let tcp = applied()
        #expect(tcp.maxConnectionsPerPeer == nil)
        #expect(tcp.budget.limitBytes >= 1 << 20 && tcp.budget.isAutomatic)
        #expect(tcp.unixMode == 0o600)
    }

    @Test("The automatic budget is a share of the memory of the process: 384 MiB of 896 MiB")
    func automaticBudget() {
        let high = "/sys/fs/cgroup/order_server.service/memory.high"
        let files = [
            "/proc/self/cgroup": "0::/order_server.service\n",
            "/proc/meminfo": "MemAvailable: 8000000 kB\n", high: "\(896 << 20)\n",
        ]
        var tcp = TCPServerConfiguration(listen: [])
        tcp.apply(ServerConfig(), memory: SystemMemory { files[$0] })
        #expect(tcp.budget.limitBytes == 384 << 20)
        #expect(tcp.budget.memory == MemoryLimit(bytes: 896 << 20, source: .file(high)))
        tcp.apply(ServerConfig(), memory: SystemMemory { _ in nil })
        #expect(tcp.budget.limitBytes == 256 << 20)
    }
}
