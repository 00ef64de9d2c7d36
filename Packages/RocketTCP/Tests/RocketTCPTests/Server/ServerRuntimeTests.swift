import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@_spi(TestKit) import RocketSystemd
import RocketTCP
import RocketTCPTestKit
import Testing

/// Records what the runtime does with it, and echoes what its connections receive.
private final class RecordingApplication: ServerApplication {
    private let recorded = Locked<[String]>([])

    var events: [String] { recorded.withLock { $0 } }

    private func record(_ event: String) { recorded.withLock { $0.append(event) } }

    func start(on loops: [EventLoop]) { record("start on \(loops.count)") }

    func makeHandler(on reactor: Reactor) -> any TCPConnectionHandler {
        record("handler")
        return EchoHandler()
    }

    func status(connectionCount: Int) -> String { "\(connectionCount) open" }
    func drainRequested() { record("drain requested") }
    func finishInput() async { record("finish input") }
    func stop() { record("stop") }
}

/// Never finishes by itself when the server drains.
private final class DrainIgnoringApplication: ServerApplication {
    private final class Handler: TCPConnectionHandler {
        let draining: AsyncEvent
        init(_ draining: AsyncEvent) { self.draining = draining }
        func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {}
        func draining(_ connection: TCPConnection) { draining.fire() }
    }

    /// Fires when a connection has been told to drain.
    let draining = AsyncEvent()

    func makeHandler(on reactor: Reactor) -> any TCPConnectionHandler { Handler(draining) }
    func status(connectionCount: Int) -> String { "" }
}

@Suite("ServerRuntime", .ownThread) struct ServerRuntimeTests {
    private func runtime(
        _ application: any ServerApplication, listen: [NetAddress] = [.loopback(port: 0)],
        _ change: (inout ServerRuntimeConfiguration) -> Void = { _ in }
    ) -> ServerRuntime {
        var configuration = ServerRuntimeConfiguration(tcp: TCPServerConfiguration(listen: listen))
        configuration.drainTimeout = .seconds(3600)
        change(&configuration)
        return ServerRuntime(configuration, application: application)
    }

    @Test("Starts, serves, drains and stops the application in this order")
    func wholeRun() async throws {
        let application = RecordingApplication()
        let runtime = runtime(application) { $0.ioThreads = 3 }
        #expect(runtime.state == .notStarted)
        let running = Task { try await runtime.run() }
        let address = try #require(await runtime.boundAddresses.first)
        #expect(runtime.state == .running)
        let peer = try RawPeer(connectingTo: address)
        peer.send([1, 2, 3])
        #expect(peer.receive(exactly: 3) == [1, 2, 3])
        #expect(runtime.connectionCount == 1)
        runtime.beginDrain()
        #expect(runtime.state == .draining)
        #expect(application.events.last == "drain requested")
        try await running.value
        #expect(runtime.state == .stopped)
        #expect(runtime.connectionCount == 0 && runtime.bufferedBytes == 0)
        #expect(peer.receive(exactly: 1) == [])
        #expect(
            application.events
                == ["start on 3", "handler", "drain requested", "finish input", "stop"])
    }

    @Test("Logs an address of the configuration that the passed sockets do not serve")
    func unservedAddress() async throws {
        let socket = try FileDescriptor.streamSocket(for: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.bind(to: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.listen(backlog: 8)
        var tcp = TCPServerConfiguration(listen: [.loopback(port: 1)])
        tcp.adoptedDescriptors = [socket.release()]
        let lines = try LogLines()
        let runtime = ServerRuntime(
            ServerRuntimeConfiguration(tcp: tcp), application: RecordingApplication(),
            logger: lines.logger)
        let running = Task { try await runtime.run() }
        _ = await runtime.boundAddresses
        runtime.beginDrain()
        try await running.value
        #expect(
            lines.end() == [
                "server started",
                "a configured address is not served: the sockets are those passed by systemd",
                "server drained",
            ])
    }

    @Test("Throws when it is run a second time")
    func secondRun() async throws {
        let runtime = runtime(RecordingApplication())
        runtime.beginDrain()
        try await runtime.run()
        await #expect(throws: ServerRuntimeError.alreadyRun) { try await runtime.run() }
    }

    @Test("Returns at once when the drain was requested before the run")
    func drainBeforeRun() async throws {
        let application = RecordingApplication()
        let runtime = runtime(application)
        runtime.beginDrain()
        #expect(runtime.state == .stopped)
        try await runtime.run()
        let addresses = await runtime.boundAddresses
        #expect(addresses.isEmpty)
        #expect(application.events.isEmpty)
    }

    @Test("A server that is drained and never runs has no addresses")
    func addressesWithoutRun() async {
        let runtime = runtime(RecordingApplication())
        async let asked = runtime.boundAddresses
        runtime.beginDrain()
        #expect(await asked.isEmpty)
        #expect(await runtime.boundAddresses.isEmpty)
    }

    @Test("Cancelling the task ends its wait for the addresses of a server that does not run")
    func cancelledWaitForAddresses() async {
        let runtime = runtime(RecordingApplication())
        let waiting = Task { await runtime.boundAddresses }
        waiting.cancel()
        #expect(await waiting.value.isEmpty)
        #expect(runtime.state == .notStarted)
    }

    @Test("Stops the application when a listener can't be opened")
    func failingListener() async throws {
        let application = RecordingApplication()
        let name = NetAddress(.abstract(name: "rocket-runtime-\(UInt64.random(in: 0 ... .max))"))
        let runtime = runtime(application, listen: [name, name])
        await #expect(throws: TCPListenError.self) { try await runtime.run() }
        #expect(runtime.state == .stopped)
        let addresses = await runtime.boundAddresses
        #expect(addresses.isEmpty)
        #expect(application.events == ["start on 1", "stop"])
    }

    @Test("Closes connections that ignore the drain after the drain time-out")
    func drainTimeout() async throws {
        let runtime = runtime(DrainIgnoringApplication())
        let running = Task { try await runtime.run() }
        let peer = try RawPeer(connectingTo: try #require(await runtime.boundAddresses.first))
        while runtime.connectionCount == 0 { await Task.yield() }
        runtime.update(drainTimeout: .milliseconds(20))
        runtime.beginDrain()
        try await running.value
        #expect(peer.receive(exactly: 1) == [])
    }

    @Test("A cancelled task drains without waiting for connections")
    func cancelling() async throws {
        let runtime = runtime(DrainIgnoringApplication())
        let running = Task { try await runtime.run() }
        let peer = try RawPeer(connectingTo: try #require(await runtime.boundAddresses.first))
        while runtime.connectionCount == 0 { await Task.yield() }
        running.cancel()
        try await running.value
        #expect(runtime.state == .stopped)
        #expect(peer.receive(exactly: 1) == [])
    }

    @Test("A task that is cancelled while it drains waits no longer for connections")
    func cancellingDrain() async throws {
        let application = DrainIgnoringApplication()
        let runtime = runtime(application)
        let running = Task { try await runtime.run() }
        let peer = try RawPeer(connectingTo: try #require(await runtime.boundAddresses.first))
        while runtime.connectionCount == 0 { await Task.yield() }
        runtime.beginDrain()
        await application.draining.wait()
        running.cancel()
        try await running.value
        #expect(runtime.state == .stopped)
        #expect(peer.receive(exactly: 1) == [])
    }

    /// Has connections for ever.
    private struct BusyListener: ConnectionListener {
        let connectionCount = 5
        let bufferedBytes = 7
        func start() throws(TCPListenError) -> [NetAddress] { [] }
        func drain(within limit: Duration) async {}
        func stop() {}
    }

    @Test("Has connections only while it runs, whatever becomes of its listener")
    func connectionsWhileRunning() async throws {
        let runtime = ServerRuntime(
            ServerRuntimeConfiguration(tcp: TCPServerConfiguration(listen: [])),
            application: RecordingApplication()
        ) { _, _, _ in BusyListener() }
        #expect(runtime.connectionCount == 0 && runtime.bufferedBytes == 0)
        let running = Task { try await runtime.run() }
        _ = await runtime.boundAddresses
        #expect(runtime.connectionCount == 5 && runtime.bufferedBytes == 7)
        runtime.beginDrain()
        try await running.value
        #expect(runtime.connectionCount == 0 && runtime.bufferedBytes == 0)
    }

    @Test("Notifies the service manager of readiness and drain")
    func systemd() async throws {
        let sent = Locked<[String]>([])
        let reporter = SystemdReporter(
            SystemdNotifier(watchdogTimeout: nil) { text in sent.withLock { $0.append(text) } })
        let runtime = runtime(RecordingApplication()) { $0.systemd = reporter }
        let running = Task { try await runtime.run() }
        _ = await runtime.boundAddresses
        #expect(sent.withLock { $0.first } == "READY=1\nSTATUS=0 open")
        runtime.beginDrain()
        try await running.value
        reporter.end()
        #expect(sent.withLock { $0 }.contains { $0.hasPrefix("STOPPING=1") })
    }
}
