import RocketBase
import RocketRPC
import RocketSystem
@_spi(TestKit) import RocketSystemd
import RocketTCP
import SwiftProtobuf
import Testing

/// What the service manager hears, and a way to wait for it. One test's own.
private final class Manager: Sendable {
    private let heard = Locked<[String]>([])
    private let words: AsyncStream<String>
    private let said: AsyncStream<String>.Continuation

    init() { (words, said) = AsyncStream.makeStream(of: String.self) }

    func reporter(watchdogTimeout: Duration? = nil) -> SystemdReporter {
        SystemdReporter(
            SystemdNotifier(watchdogTimeout: watchdogTimeout) { text in
                self.heard.withLock { $0.append(text) }
                self.said.yield(text)
            })
    }

    var all: [String] { heard.withLock { $0 } }

    /// The next word that begins like the one and not like the other.
    func next(_ prefix: String, but other: String = "-") async -> String? {
        await words.first { $0.hasPrefix(prefix) && !$0.hasPrefix(other) }
    }
}

@Suite struct SystemdTests {
    @Test func theManagerHearsOfTheStartTheWatchdogAndTheDrain() async throws {
        let manager = Manager()
        let reporter = manager.reporter(watchdogTimeout: .milliseconds(20))
        try await withServer(configure: { $0.systemd = reporter }) { _ in
            let ready = await manager.next("READY=1")
            #expect(ready == "READY=1\nSTATUS=0 calls/s, 0 in flight, p99 -, 0 connections")
            let word = await manager.next("WATCHDOG=1")
            #expect(word == "WATCHDOG=1")
        }
        reporter.end()
        #expect(manager.all.contains { $0.hasPrefix("STOPPING=1") })
        #expect(manager.all.contains("EXTEND_TIMEOUT_USEC=5000000"))
    }

    @Test func theStatusTellsOfCallsAndConnections() async throws {
        let manager = Manager()
        let reporter = manager.reporter()
        try await withServer(configure: { $0.systemd = reporter }) { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            defer { channel.close() }
            _ = await manager.next("READY=1")
            for _ in 0..<10 {
                _ = try await channel.call(TestService.echo, Text("x"), timeout: .seconds(10))
            }
            let busy = await manager.next("STATUS=", but: "STATUS=0 calls/s") ?? ""
            #expect(busy.hasSuffix(" 1 connections") && !busy.contains("p99 -"), "\(busy)")
            #expect(busy.contains(" 0 in flight"), "\(busy)")
        }
        reporter.end()
    }

    @Test func socketsOfTheNameAreServedInsteadOfTheConfiguredAddresses() throws {
        let sockets = ListenFDs([
            .init(descriptor: 3, name: "rpc"), .init(descriptor: 4, name: "console"),
            .init(descriptor: 5, name: "rpc"),
        ])
        let configuration = try RPCServerConfiguration(ServerConfig(), sockets: sockets)
        #expect(configuration.tcp.listen.isEmpty)
        #expect(configuration.tcp.adoptedDescriptors == [3, 5])
        #expect(sockets.unclaimed(by: RPCServerConfiguration.socketName).map(\.descriptor) == [4])
    }

    @Test func socketsThatNobodyNamedAreServed() throws {
        let sockets = ListenFDs([
            .init(descriptor: 3, name: "order_server.socket"),
            .init(descriptor: 4, name: "unknown"),
        ])
        let configuration = try RPCServerConfiguration(ServerConfig(), sockets: sockets)
        #expect(configuration.tcp.adoptedDescriptors == [3, 4])
    }

    @Test func withoutActivationItBindsWhatTheConfigurationNames() throws {
        let configuration = try RPCServerConfiguration(ServerConfig())
        #expect(configuration.tcp.adoptedDescriptors.isEmpty)
        #expect(configuration.tcp.listen == [.loopback(port: 12_345)])
    }
}
