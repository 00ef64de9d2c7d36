import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@_spi(TestKit) import RocketSystemd
import RocketTCP
import RocketTCPTestKit
import Testing

/// The kernel refuses operations of epoll_ctl (ENOSPC, ENOMEM).
@Suite(.oneAtATime) struct RefusedRegistrationTests {
    let driven: HandDrivenLoop
    let handler = RecordingConnectionHandler()
    init() throws { driven = try HandDrivenLoop() }

    private func server(
        _ listen: [NetAddress] = [.loopback(port: 0)], logger: RocketLogger = .disabled,
        _ change: (inout TCPServerConfiguration) -> Void = { _ in }
    ) -> TCPServer {
        var configuration = TCPServerConfiguration(listen: listen)
        change(&configuration)
        let bound = LoopBound(handler, on: driven.reactor)
        return TCPServer(
            configuration: configuration, mainLoop: driven.loop, subLoops: [], logger: logger
        ) { _ in bound.get() }
    }

    @Test("Closes accepted connections that can't be watched, and logs them within a budget")
    func acceptedConnection() throws {
        let lines = try LogLines()
        let server = server(logger: lines.logger)
        let address = try #require(try server.start().first)
        driven.reactor.refuse(.add, of: "TCPConnection", with: .outOfMemory)
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: address) }
        driven.settle()
        #expect(server.connectionCount == 0)
        for peer in peers { #expect(peer.receive() == .end) }
        #expect(handler.events == [])
        driven.reactor.refuse(.add, of: "", with: nil)
        let peer = try RawPeer(connectingTo: address)
        driven.settle()
        #expect(handler.events == [.connected])
        peer.close()
        server.stop()
        driven.settle()
        #expect(
            lines.end() == [
                "a connection is lost: its event loop can't watch it",
                "more lines like this were left out",
            ])
    }

    @Test("Reports a connect as failed when the connection can't be watched")
    func outgoingConnection() throws {
        let listener = try RawListener()
        try listener.listen()
        for label in ["connect", "TCPConnection"] {
            driven.reactor.refuse(.add, of: label, with: .outOfMemory)
            var outcomes: [Result<TCPConnection, ConnectError>] = []
            TCPClient.connect(
                to: [listener.address], on: driven.reactor, timeout: .seconds(1), handler: handler
            ) { outcomes.append($0) }
            driven.settle()
            #expect(throws: ConnectError.self) { try outcomes.first?.get() }
            #expect(outcomes.count == 1 && handler.events == [])
            #expect(driven.reactor.registrationCount == 1)
        }
    }

    @Test("Notifies the handler of an adopted socket that can't be watched")
    func adoptedConnection() throws {
        driven.reactor.refuse(.add, of: "TCPConnection", with: .outOfMemory)
        let pair = try ConnectedPair(on: driven.reactor)
        driven.settle()
        let reason = CloseReason.failed(SystemError("epoll_ctl", .outOfMemory))
        #expect(pair.handler.events == [.closed(reason)])
        #expect(pair.peer.receive() == .end)
    }

    @Test("Closes a connection whose interest can't be changed")
    func refusedChange() throws {
        let pair = try ConnectedPair(on: driven.reactor)
        driven.reactor.refuse(.change, of: "TCPConnection", with: .outOfMemory)
        pair.connection.pauseReading()
        driven.settle()
        let reason = CloseReason.failed(SystemError("epoll_ctl", .outOfMemory))
        #expect(pair.handler.events == [.connected, .closed(reason)])
        #expect(pair.peer.receive() == .end)
    }

    @Test("Does not start with a listener that can't be watched, and keeps none open")
    func listener() throws {
        let path = "/tmp/rocket-tcp-\(CurrentProcess.processID)-unwatched"
        driven.reactor.refuse(.add, of: "TCPAcceptor", with: .outOfMemory)
        let server = server([NetAddress(.unix(path: path)), .loopback(port: 0)])
        let error = #expect(throws: TCPListenError.self) { try server.start() }
        #expect(
            error?.description
                == "listen on unix:\(path): epoll_ctl: ENOMEM (Cannot allocate memory)")
        #expect(throws: SystemError.self) { try SocketFile.isSocket(path) }
        #expect(driven.reactor.registrationCount == 1)
    }

    /// A server with one connection, the most it may have, another peer that waits to be accepted,
    /// and a listener that can be watched neither now nor again.
    private func serverWithARefusedListener() throws -> (TCPServer, RawPeer, RawPeer) {
        let server = server {
            $0.maxConnections = 1; $0.atLimit = .park
        }
        let address = try #require(try server.start().first)
        // Accepting pauses at the limit: a change of interest.
        driven.reactor.refuse(.change, of: "TCPAcceptor", with: .outOfMemory)
        let first = try RawPeer(connectingTo: address)
        driven.settle()
        let second = try RawPeer(connectingTo: address)
        driven.reactor.refuse(.add, of: "TCPAcceptor", with: .outOfMemory)
        return (server, first, second)
    }

    private func expectAccepted(_ peer: RawPeer, by server: TCPServer) {
        peer.send([1])
        driven.settle()
        #expect(handler.events.last == .received(1))
        server.stop()
        driven.settle()
    }

    @Test("Accepts again after a listener's interest could not be changed")
    func refusedChangeOfAListener() throws {
        let (server, first, second) = try serverWithARefusedListener()
        driven.tick(after: .milliseconds(100))
        driven.reactor.refuse(.add, of: "", with: nil)
        first.close()
        driven.settle()
        driven.tick(after: .milliseconds(100))
        driven.settle()
        expectAccepted(second, by: server)
    }

    @Test("Tries to watch a listener again after each failure, without an event of a connection")
    func refusedAgain() throws {
        let (server, first, second) = try serverWithARefusedListener()
        // The end of a connection is the last event before those of the timer.
        first.close()
        driven.settle()
        for _ in 0..<3 { driven.tick(after: .milliseconds(100)) }
        driven.reactor.refuse(.add, of: "", with: nil)
        driven.tick(after: .milliseconds(100))
        driven.settle()
        expectAccepted(second, by: server)
    }

    private final class Application: ServerApplication {
        func makeHandler(on reactor: Reactor) -> any TCPConnectionHandler { EchoHandler() }
        func status(connectionCount: Int) -> String { "" }
    }

    @Test("A server whose listener can't be watched throws and is never ready")
    func neverReady() async throws {
        let sent = Locked<[String]>([])
        let reporter = SystemdReporter(
            SystemdNotifier(watchdogTimeout: nil) { text in sent.withLock { $0.append(text) } })
        let tcp = TCPServerConfiguration(listen: [.loopback(port: 0)])
        var configuration = ServerRuntimeConfiguration(tcp: tcp)
        configuration.systemd = reporter
        let runtime = ServerRuntime(configuration, application: Application()) {
            main, sub, makeHandler in
            main.execute { $0.refuse(.add, of: "TCPAcceptor", with: .outOfMemory) }
            return TCPServer(
                configuration: tcp, mainLoop: main, subLoops: sub, makeHandler: makeHandler)
        }
        await #expect(throws: TCPListenError.self) { try await runtime.run() }
        #expect(await runtime.boundAddresses.isEmpty)
        reporter.end()
        #expect(!sent.withLock { $0 }.contains { $0.contains("READY=1") })
    }
}
