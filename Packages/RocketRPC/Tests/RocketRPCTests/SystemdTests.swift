import RocketBase
import RocketRPC
import RocketSystem
@_spi(TestKit) import RocketSystemd
import RocketTCP
import SwiftProtobuf
import Testing

/// A service manager that records its notifications, and waits for them. One per test.
private final class Manager: Sendable {
    private let received = Locked<[String]>([])
    private let notifications: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() { (notifications, continuation) = AsyncStream.makeStream(of: String.self) }

    func reporter(watchdogTimeout: Duration? = nil) -> SystemdReporter {
        SystemdReporter(
            SystemdNotifier(watchdogTimeout: watchdogTimeout) { text in
                self.received.withLock { $0.append(text) }
                self.continuation.yield(text)
            })
    }

    var all: [String] { received.withLock { $0 } }

    /// The next notification that begins with `prefix` and not with `other`.
    func next(_ prefix: String, but other: String = "-") async -> String? {
        await notifications.first { $0.hasPrefix(prefix) && !$0.hasPrefix(other) }
    }
}

@Suite("systemd integration")
struct SystemdTests {
    @Test("The service manager is notified of the start, the watchdog and the drain")
    func notifications() async throws {
        let manager = Manager()
        let reporter = manager.reporter(watchdogTimeout: .milliseconds(20))
        try await withServer(configure: { $0.systemd = reporter }) { _ in
            let ready = await manager.next("READY=1")
            #expect(ready == "READY=1\nSTATUS=0 calls/s, 0 in flight, p99 -, 0 connections")
            let ping = await manager.next("WATCHDOG=1")
            #expect(ping == "WATCHDOG=1")
        }
        reporter.end()
        #expect(manager.all.contains { $0.hasPrefix("STOPPING=1") })
        #expect(manager.all.contains("EXTEND_TIMEOUT_USEC=5000000"))
    }

    @Test("The status contains the counts of calls and connections")
    func statusText() async throws {
        let manager = Manager()
        let reporter = manager.reporter()
        try await withServer(configure: { $0.systemd = reporter }) { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            defer { channel.close() }
            _ = await manager.next("READY=1")
            for _ in 0..<10 {
                _ = try await channel.call(TestService.echo, Text("x"), timeout: .seconds(3600))
            }
            let busy = await manager.next("STATUS=", but: "STATUS=0 calls/s") ?? ""
            #expect(busy.hasSuffix(" 1 connections") && !busy.contains("p99 -"), "\(busy)")
            #expect(busy.contains(" 0 in flight"), "\(busy)")
        }
        reporter.end()
    }

    @Test("Sockets named rpc are served in place of the configured addresses")
    func namedSockets() throws {
        let sockets = ListenFDs([
            .init(descriptor: 3, name: "rpc"), .init(descriptor: 4, name: "console"),
            .init(descriptor: 5, name: "rpc"),
        ])
        let configuration = try RPCServerConfiguration(ServerConfig(), sockets: sockets)
        #expect(configuration.tcp.adoptedDescriptors == [3, 5])
        #expect(sockets.unclaimed(by: RPCServerConfiguration.socketName).map(\.descriptor) == [4])
    }

    @Test("Sockets without a name are served")
    func unnamedSockets() throws {
        let sockets = ListenFDs([
            .init(descriptor: 3, name: "order_server.socket"),
            .init(descriptor: 4, name: "unknown"),
        ])
        let configuration = try RPCServerConfiguration(ServerConfig(), sockets: sockets)
        #expect(configuration.tcp.adoptedDescriptors == [3, 4])
    }

    @Test("Without socket activation the configured addresses are bound")
    func noActivation() throws {
        let configuration = try RPCServerConfiguration(ServerConfig())
        #expect(configuration.tcp.adoptedDescriptors.isEmpty)
        #expect(configuration.tcp.listen == [.loopback(port: 12_345)])
    }
}
