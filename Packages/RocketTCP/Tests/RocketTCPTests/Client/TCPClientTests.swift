import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

@Suite struct TCPClientTests {
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

    /// A port where nobody listens: it was ours a moment ago.
    private func deadAddress() throws -> NetAddress {
        let socket = try FileDescriptor.streamSocket(for: .ipv4(bits: 0x7F00_0001, port: 0))
        try socket.bind(to: .ipv4(bits: 0x7F00_0001, port: 0))
        return NetAddress(try socket.localAddress())
    }

    @Test func nobodyListeningIsRefused() throws {
        let address = try deadAddress()
        let (outcome, _, handler) = connect(to: [address])
        #expect(outcome.result == nil)
        driven.settle()
        #expect(error(outcome)?.kind == .refused)
        #expect(
            error(outcome)?.description
                == "connect: refused (\(address): ECONNREFUSED (Connection refused))")
        #expect(handler.events == [])
        #expect(driven.reactor.registrationCount == 1)
    }

    @Test func aMissingPathIsRefused() throws {
        let (outcome, _, _) = connect(to: [try NetAddress(parsing: "unix:/nowhere/rocket")])
        driven.settle()
        #expect(error(outcome)?.kind == .refused)
    }

    @Test func noAddressIsAnErrorOfItsOwn() {
        let (outcome, _, _) = connect(to: [])
        driven.settle()
        #expect(error(outcome)?.kind == .noAddress)
    }

    @Test func theNextAddressIsTriedWhenOneFails() throws {
        let server = TCPServer(
            configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
            mainLoop: driven.loop, subLoops: []
        ) { _ in EchoHandler() }
        let live = try #require(try server.start().first)
        driven.settle()
        let (outcome, _, handler) = connect(to: [try deadAddress(), live])
        driven.settle()
        #expect(try outcome.result?.get().peerAddress == live)
        #expect(handler.events == [.connected])
        #expect(driven.reactor.timerCount <= 1)
    }

    /// A listener whose backlog is full answers no more: the peer's SYN is dropped.
    private func silentAddress() throws -> (FileDescriptorBox, [RawPeer], NetAddress) {
        let box = FileDescriptorBox(
            try FileDescriptor.streamSocket(for: .ipv4(bits: 0x7F00_0001, port: 0)))
        let address = try box.listen(backlog: 0)
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: address) }
        return (box, peers, address)
    }

    @Test func silenceEndsAtTheDeadline() throws {
        let (box, peers, address) = try silentAddress()
        let (outcome, _, _) = connect(to: [address])
        driven.settle()
        driven.tick(after: .milliseconds(900))
        #expect(outcome.result == nil)
        driven.tick(after: .milliseconds(200))
        #expect(error(outcome)?.kind == .timedOut)
        #expect(driven.reactor.registrationCount == 1)
        withExtendedLifetime((box, peers)) {}
    }

    @Test func aSilentAddressDoesNotHoldTheNextUp() throws {
        let (box, peers, silent) = try silentAddress()
        let dead = try deadAddress()
        let (outcome, _, _) = connect(to: [silent, dead], timeout: .seconds(5))
        driven.settle()
        driven.tick(after: .milliseconds(260))
        driven.settle()
        // The second one was tried and failed; the first one is still waited for.
        #expect(outcome.result == nil)
        driven.tick(after: .seconds(5))
        #expect(error(outcome)?.kind == .timedOut)
        #expect(error(outcome)?.attempts.count == 2)
        withExtendedLifetime((box, peers)) {}
    }

    @Test func anOperationMayBeCancelled() throws {
        let (box, peers, address) = try silentAddress()
        let (outcome, operation, _) = connect(to: [address])
        driven.settle()
        operation.cancel()
        operation.cancel()
        #expect(outcome.result == nil)
        driven.settle()
        #expect(error(outcome)?.kind == .cancelled)
        withExtendedLifetime((box, peers)) {}
    }
}

/// Holds a listener for a test.
final class FileDescriptorBox {
    private let descriptor: FileDescriptor
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    func listen(backlog: Int) throws -> NetAddress {
        try descriptor.bind(to: .ipv4(bits: 0x7F00_0001, port: 0))
        try descriptor.listen(backlog: backlog)
        return NetAddress(try descriptor.localAddress())
    }
}
