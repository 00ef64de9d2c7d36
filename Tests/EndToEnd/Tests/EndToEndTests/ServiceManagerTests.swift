import EndToEndKit
import Foundation
import Testing

/// What order_server says to a service manager, and what it takes from one.
struct ServiceManagerTests {
    @Test("READY=1 comes when a client can call; then a status a second, with figures")
    func ready() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let server = try OrderServerProcess(in: workspace, environment: manager.environment)
        let word = try manager.next()
        #expect(
            word == ["READY=1", "STATUS=0 calls/s, 0 in flight, p99 -, 0 connections"])
        let connection = try RawConnection(port: server.port)
        try connection.send(TinyPBBytes.goldenRequest)
        #expect(try connection.receiveFrame()?.errorCode == 0)
        let status = try #require(try manager.next("STATUS=").first)
        let shape = #/STATUS=\d+ calls/s, 0 in flight, p99 \d+\.\d+ ms, 1 connections/#
        #expect(status.wholeMatch(of: shape) != nil, "\(status)")

        server.child.send(SIGTERM)
        #expect(try manager.next("STOPPING=1") == ["STOPPING=1", "STATUS=draining"])
        #expect(try manager.next() == ["EXTEND_TIMEOUT_USEC=5000000"])
        connection.finish()
        #expect(server.child.finish().status == 0)
    }

    @Test("SIGHUP is told as RELOADING=1 with the time, then READY=1")
    func reload() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let server = try OrderServerProcess(in: workspace, environment: manager.environment)
        _ = try manager.next("READY=1")
        let before = microseconds()
        server.child.send(SIGHUP)
        let word = try manager.next("RELOADING=1")
        let stamp = try #require(word.last?.split(separator: "=").last.flatMap { Int($0) })
        #expect(word.first == "RELOADING=1" && word.last?.hasPrefix("MONOTONIC_USEC=") == true)
        #expect(before <= stamp && stamp <= microseconds())
        #expect(try manager.next("READY=1") == ["READY=1"])
        #expect(server.stop().status == 0)
    }

    @Test("The watchdog hears from a server that moves")
    func watchdog() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let environment = manager.environment.merging(["WATCHDOG_USEC": "200000"]) { $1 }
        let server = try OrderServerProcess(in: workspace, environment: environment)
        for _ in 0..<3 { #expect(try manager.next("WATCHDOG=1") == ["WATCHDOG=1"]) }
        #expect(server.stop().status == 0)
    }

    @Test("A store that hangs keeps the word to the watchdog back, and the log names it")
    func hangingStore() throws {
        let workspace = try Workspace(
            sections: "<order_store><path>var/orders.sqlite</path></order_store>")
        let manager = try FakeServiceManager(in: workspace)
        let environment = manager.environment.merging(
            ["WATCHDOG_USEC": "200000", "ROCKET_LOG_SINKS": "console"]) { $1 }
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

    @Test("A socket that was handed over is served, and outlives the server")
    func activation() throws {
        let workspace = try Workspace()
        let socket = try TakenPort(isListening: true)
        // Connected before the server is there: the kernel holds it.
        let early = try RawConnection(port: socket.port)
        try early.send(TinyPBBytes.goldenRequest)
        let server = try OrderServerProcess(
            in: workspace, launcher: FakeServiceManager.activation(names: "rpc"),
            input: socket.handedOver())
        #expect(server.port == socket.port)
        #expect(try early.receiveFrame()?.errorCode == 0)
        #expect(server.stop(closing: early).status == 0)

        let between = try RawConnection(port: socket.port)
        try between.send(TinyPBBytes.goldenRequest)
        let second = try OrderServerProcess(
            in: workspace, launcher: FakeServiceManager.activation(names: "rpc"),
            input: socket.handedOver())
        #expect(try between.receiveFrame()?.errorCode == 0)
        #expect(second.stop(closing: between).status == 0)
    }

    @Test("A socket of another name is left alone, and the configuration's address is bound")
    func strangeSocket() throws {
        let workspace = try Workspace()
        let socket = try TakenPort(isListening: true)
        let server = try OrderServerProcess(
            in: workspace, launcher: FakeServiceManager.activation(names: "console"),
            input: socket.handedOver())
        #expect(server.port != socket.port)
        #expect(server.stop().status == 0)
        let lines = workspace.logLines().filter { $0.contains("nobody serves") }
        #expect(lines.count == 1 && lines[0].hasSuffix("name=console"), "\(lines)")
    }

    @Test("A second SIGTERM ends the server at once, with the log written")
    func secondSignal() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let server = try OrderServerProcess(in: workspace, environment: manager.environment)
        let connection = try RawConnection(port: server.port)
        try connection.send(TinyPBBytes.goldenRequest)
        #expect(try connection.receiveFrame()?.errorCode == 0)
        // A call that can't end for five seconds.
        let lock = try StoreLock(workspace)
        try connection.send(TinyPBBytes.goldenRequest)
        _ = try manager.next("READY=1")
        while try manager.next("STATUS=").first?.contains(" 1 in flight") != true {}
        server.child.send(SIGTERM)
        _ = try manager.next("STOPPING=1")
        server.child.send(SIGTERM)
        let ending = server.child.finish()
        #expect(ending.wasKilled && ending.status == SIGTERM, "\(ending)")
        #expect(workspace.logLines().contains { $0.contains("ending at once") })
        withExtendedLifetime(lock) {}
    }

    private func microseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }
}
