import EndToEndKit
import Foundation
import Testing

/// Notifications of order_server to a service manager, and socket activation.
struct ServiceManagerTests {
    @Test("Sends READY=1 when clients can connect, then a status with figures each second")
    func ready() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let server = try OrderServerProcess(in: workspace, environment: manager.environment)
        let notification = try manager.next()
        #expect(
            notification == ["READY=1", "STATUS=0 calls/s, 0 in flight, p99 -, 0 connections"])
        let connection = try RawConnection(port: server.port)
        try connection.send(TinyPBBytes.goldenRequest)
        #expect(try connection.receiveFrame()?.errorCode == 0)
        // The call may end in the time of the next status.
        var status = ""
        repeat {
            status = try #require(try manager.next("STATUS=").first)
        } while status.contains("p99 -") || !status.contains(" 0 in flight")
        let shape = #/STATUS=\d+ calls/s, 0 in flight, p99 \d+\.\d+ ms, 1 connections/#
        #expect(status.wholeMatch(of: shape) != nil, "\(status)")

        server.child.send(SIGTERM)
        #expect(try manager.next("STOPPING=1") == ["STOPPING=1", "STATUS=draining"])
        #expect(try manager.next() == ["EXTEND_TIMEOUT_USEC=5000000"])
        connection.finish()
        #expect(server.child.finish().status == 0)
    }

    @Test("Sends RELOADING=1 with the time on SIGHUP, then READY=1")
    func reload() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let server = try OrderServerProcess(in: workspace, environment: manager.environment)
        _ = try manager.next("READY=1")
        let before = microseconds()
        server.child.send(SIGHUP)
        let notification = try manager.next("RELOADING=1")
        let stamp = try #require(notification.last?.split(separator: "=").last.flatMap { Int($0) })
        #expect(notification.first == "RELOADING=1")
        #expect(notification.last?.hasPrefix("MONOTONIC_USEC=") == true)
        #expect(before <= stamp && stamp <= microseconds())
        #expect(try manager.next("READY=1") == ["READY=1"])
        #expect(server.stop().status == 0)
    }

    @Test("Sends WATCHDOG=1 while all watchdog targets respond")
    func watchdog() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let environment = manager.environment.merging(["WATCHDOG_USEC": "200000"]) { $1 }
        let server = try OrderServerProcess(in: workspace, environment: environment)
        for _ in 0..<3 { #expect(try manager.next("WATCHDOG=1") == ["WATCHDOG=1"]) }
        #expect(server.stop().status == 0)
    }

    @Test("Sends no WATCHDOG=1 while the store hangs, and logs its name")
    func hangingStore() throws {
        let workspace = try Workspace(
            sections: "<order_store><path>var/orders.sqlite</path></order_store>")
        let manager = try FakeServiceManager(in: workspace)
        let environment = manager.environment.merging(
            ["WATCHDOG_USEC": "2000000", "ROCKET_LOG_SINKS": "console"]) { $1 }
        let server = try OrderServerProcess(in: workspace, environment: environment)
        _ = try manager.next("WATCHDOG=1")
        let lock = try StoreLock(workspace)
        let connection = try RawConnection(port: server.port)
        try connection.send(TinyPBBytes.goldenRequest)
        let lines = server.child.errorLines(through: "stuck: the watchdog is not notified")
        #expect(lines.last?.contains("parts=\"order store\"") == true, "\(lines)")
        withExtendedLifetime(lock) {}
        server.kill()
    }

    @Test("Serves a passed socket, which outlives the server")
    func activation() throws {
        let workspace = try Workspace()
        let socket = try ReservedPort(isListening: true)
        // Connects before the server runs: the connection stays in the backlog.
        let first = try RawConnection(port: socket.port)
        try first.send(TinyPBBytes.goldenRequest)
        let server = try OrderServerProcess(
            in: workspace, launcher: FakeServiceManager.activation(names: "rpc"),
            input: socket.duplicate())
        #expect(server.port == socket.port)
        #expect(try first.receiveFrame()?.errorCode == 0)
        #expect(server.stop(closing: first).status == 0)

        let between = try RawConnection(port: socket.port)
        try between.send(TinyPBBytes.goldenRequest)
        let second = try OrderServerProcess(
            in: workspace, launcher: FakeServiceManager.activation(names: "rpc"),
            input: socket.duplicate())
        #expect(try between.receiveFrame()?.errorCode == 0)
        #expect(second.stop(closing: between).status == 0)
    }

    @Test("Does not use a passed socket of another name, and binds the configured address")
    func otherSocketName() throws {
        let workspace = try Workspace()
        let socket = try ReservedPort(isListening: true)
        let server = try OrderServerProcess(
            in: workspace, launcher: FakeServiceManager.activation(names: "console"),
            input: socket.duplicate())
        #expect(server.port != socket.port)
        #expect(server.stop().status == 0)
        let lines = workspace.logLines().filter {
            $0.contains("socket passed by activation is not used")
        }
        #expect(lines.count == 1 && lines[0].hasSuffix("name=console"), "\(lines)")
    }

    @Test("A second SIGTERM ends the server at once, after writing the log")
    func secondSignal() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let server = try OrderServerProcess(in: workspace, environment: manager.environment)
        let connection = try RawConnection(port: server.port)
        try connection.send(TinyPBBytes.goldenRequest)
        #expect(try connection.receiveFrame()?.errorCode == 0)
        // A call that can't finish within five seconds.
        let lock = try StoreLock(workspace)
        try connection.send(TinyPBBytes.goldenRequest)
        _ = try manager.next("READY=1")
        while try manager.next("STATUS=").first?.contains(" 1 in flight") != true {}
        server.child.send(SIGTERM)
        _ = try manager.next("STOPPING=1")
        server.child.send(SIGTERM)
        let result = server.child.finish()
        #expect(result.wasKilled && result.status == SIGTERM, "\(result)")
        #expect(workspace.logLines().contains { $0.contains("ending at once") })
        withExtendedLifetime(lock) {}
    }

    private func microseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }
}
