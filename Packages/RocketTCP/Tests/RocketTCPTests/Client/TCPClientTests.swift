import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@testable import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct TCPClientTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    private final class Outcome { var result: Result<TCPConnection, ConnectError>? }

    private func connect(to addresses: [NetAddress], timeout: Duration = .seconds(1))
        -> (Outcome, ConnectOperation, RecordingConnectionHandler)
    {
        let outcome = Outcome()
        let handler = RecordingConnectionHandler()
        let operation = TCPClient.connect(
            to: addresses, on: driven.reactor, timeout: timeout, handler: handler
        ) {
            #expect(outcome.result == nil)
            outcome.result = $0
        }
        return (outcome, operation, handler)
    }

    private func error(_ outcome: Outcome) -> ConnectError? {
        if case .failure(let error)? = outcome.result { return error }
        return nil
    }

    @Test("Reports refused when no process listens")
    func refusedWithoutListener() throws {
        let dead = try RawListener()
        let (outcome, _, handler) = connect(to: [dead.address])
        #expect(outcome.result == nil)
        driven.settle()
        #expect(error(outcome)?.kind == .refused)
        #expect(
            error(outcome)?.description
                == "connect: \(dead.address): ECONNREFUSED (Connection refused)")
        #expect(handler.events == [])
        #expect(driven.reactor.registrationCount == 1)
    }

    @Test("Reports refused for a path that does not exist")
    func aMissingPathIsRefused() throws {
        let (outcome, _, _) = connect(to: [try NetAddress(parsing: "unix:/nowhere/rocket")])
        driven.settle()
        #expect(error(outcome)?.kind == .refused)
    }

    @Test(
        "Reports notPermitted where the system does not permit the connection", arguments: [1, 13])
    func notPermitted(errno: Int32) throws {
        // EPERM and EACCES. Tests run as root, to whom every Unix socket is open.
        let attempt = ConnectError.Attempt(
            address: try NetAddress(parsing: "unix:/run/rocket"),
            error: SystemError("connect", Errno(rawValue: errno)))
        #expect(ConnectError(attempts: [attempt]).kind == .notPermitted)
    }

    @Test("A peer that ends the handshake may speak plaintext, which the text says")
    func endedHandshake() throws {
        let attempt = ConnectError.Attempt(
            address: try NetAddress(parsing: "10.0.0.1:1"), error: nil, handshake: .peerFinished)
        #expect(
            ConnectError(attempts: [attempt]).description
                == "connect: 10.0.0.1:1: the peer closed during the handshake; does it speak "
                + "plaintext?")
    }

    @Test("Reports noAddress without any address")
    func noAddress() {
        let (outcome, _, _) = connect(to: [])
        driven.settle()
        #expect(error(outcome)?.kind == .noAddress)
    }

    @Test("Tries the next address when one fails")
    func theNextAddressIsTriedWhenOneFails() throws {
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
            mainLoop: driven.loop, subLoops: []
        ) { _ in EchoHandler() }
        let live = try #require(try server.start().first)
        driven.settle()
        let dead = try RawListener()
        let (outcome, _, handler) = connect(to: [dead.address, live])
        driven.settle()
        #expect(try outcome.result?.get().peerAddress == live)
        #expect(handler.events == [.connected])
        #expect(driven.reactor.timerCount <= 1)
    }

    /// A listener whose backlog is full does not answer: the kernel drops the peer's SYN.
    private func silentSite() throws -> (RawListener, [RawPeer]) {
        let site = try RawListener()
        try site.listen(backlog: 0)
        return (site, try (0..<3).map { _ in try RawPeer(connectingTo: site.address) })
    }

    @Test("Reports timedOut at the deadline when there is no answer")
    func silenceEndsAtTheDeadline() throws {
        let (site, peers) = try silentSite()
        let (outcome, _, _) = connect(to: [site.address])
        driven.settle()
        driven.tick(after: .milliseconds(900))
        #expect(outcome.result == nil)
        driven.tick(after: .milliseconds(200))
        #expect(error(outcome)?.kind == .timedOut)
        #expect(driven.reactor.registrationCount == 1)
        withExtendedLifetime((site, peers)) {}
    }

    @Test("Tries the next address beside one that does not answer")
    func silentAddressDoesNotBlockTheNext() throws {
        let (site, peers) = try silentSite()
        let dead = try RawListener()
        let (outcome, _, _) = connect(to: [site.address, dead.address], timeout: .seconds(5))
        driven.settle()
        driven.tick(after: .milliseconds(260))
        driven.settle()
        // The second one has failed; the first one is still waiting.
        #expect(outcome.result == nil)
        driven.tick(after: .seconds(5))
        #expect(error(outcome)?.kind == .timedOut)
        #expect(error(outcome)?.attempts.count == 2)
        withExtendedLifetime((site, peers)) {}
    }

    @Test("An operation that has ended is released")
    func release() throws {
        let listener = try RawListener()
        try listener.listen()
        for address in [listener.address, try RawListener().address] {
            let outcome = Outcome()
            weak let operation = TCPClient.connect(
                to: [address], on: driven.reactor, timeout: .seconds(1),
                handler: RecordingConnectionHandler()
            ) { outcome.result = $0 }
            #expect(operation != nil)
            driven.settle()
            #expect(outcome.result != nil && operation == nil)
        }
    }

    @Test("Reports cancelled for an operation that was cancelled")
    func anOperationMayBeCancelled() throws {
        let (site, peers) = try silentSite()
        let (outcome, operation, _) = connect(to: [site.address])
        driven.settle()
        operation.cancel()
        operation.cancel()
        #expect(outcome.result == nil)
        driven.settle()
        #expect(error(outcome)?.kind == .cancelled)
        withExtendedLifetime((site, peers)) {}
    }
}
