import Dispatch
import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCPTestKit
import Testing

@testable import RocketTCP

/// A session whose handshake never ends. Used on one thread.
private final class EndlessSession: SecureSession {
    let received: () -> Void
    var phase: SecureSessionPhase { .handshake }
    var peerIdentity: PeerIdentity { .none }
    var negotiatedProtocol: String? { nil }
    var hasPartialInput: Bool { false }

    init(_ received: @escaping () -> Void = {}) { self.received = received }

    func begin(output: inout ByteBuffer) throws(TransportSecurityError) {}
    func receive(
        _ input: inout ByteBuffer, plaintext: inout ByteBuffer, output: inout ByteBuffer
    ) throws(TransportSecurityError) {
        received()
        input.removeAll()
    }
    func encrypt(_ plaintext: RawSpan, output: inout ByteBuffer) throws(TransportSecurityError) {}
    func finish(output: inout ByteBuffer) {}
}

private struct EndlessSecurity: ClientTransportSecurity {
    func connectSession(to host: String?) throws(TransportSecurityError) -> any SecureSession {
        EndlessSession()
    }
}

/// A session that adds 5 bytes to each unit, and whose handshake has one step: it answers 50 bytes,
/// once the test lets it.
// SAFETY: a session is used by one thread at a time.
private final class GatedSession: SecureSession, ServerTransportSecurity, @unchecked Sendable {
    let entered = DispatchSemaphore(value: 0)
    let gate = DispatchSemaphore(value: 0)
    var answerBytes = 50
    private(set) var phase = SecureSessionPhase.handshake
    var peerIdentity: PeerIdentity { .none }
    var negotiatedProtocol: String? { nil }
    var hasPartialInput: Bool { false }

    func acceptSession() throws(TransportSecurityError) -> any SecureSession { self }
    func begin(output: inout ByteBuffer) throws(TransportSecurityError) {}
    func receive(
        _ input: inout ByteBuffer, plaintext: inout ByteBuffer, output: inout ByteBuffer
    ) throws(TransportSecurityError) {
        if phase == .handshake {
            entered.signal()
            gate.wait()
            output.append([UInt8](repeating: 0, count: answerBytes))
            phase = .open
        } else {
            input.withBytes { plaintext.append($0) }
        }
        input.removeAll()
    }
    func encrypt(_ plaintext: RawSpan, output: inout ByteBuffer) throws(TransportSecurityError) {
        output.append([UInt8](repeating: 0, count: 5 + plaintext.byteCount))
    }
    func finish(output: inout ByteBuffer) {}
}

@Suite(.oneAtATime) struct HandshakeStepTests {
    @Test("Only what was sent behind the bytes of the handshake counts as sent")
    func sentBytes() throws {
        let session = GatedSession()
        let security = ConnectionSecurity(session)
        var input = ByteBuffer()
        let taken = security.takeStep(&input)
        let step = try #require(taken)
        session.gate.signal()
        step.run()
        security.takeBack(step)
        var queue = OutputQueue()
        queue.own.append([UInt8](repeating: 1, count: 10))
        try security.encrypt(&queue)
        #expect(security.output.readableBytes == 65 && queue.isEmpty)
        security.sent(50)
        security.sent(14)
        #expect(security.sentPlaintext == 0)
        security.sent(1)
        #expect(security.sentPlaintext == 10)
    }

    /// A server with one thread for handshakes, and a peer whose first step is on it.
    private final class Threaded {
        let driven: HandDrivenLoop
        let session = GatedSession()
        let handler = RecordingConnectionHandler()
        let server: TCPServer
        let peer: RawPeer

        // SAFETY: used on the test's thread.
        private struct Handler: @unchecked Sendable { let handler: RecordingConnectionHandler }

        init(_ address: NetAddress) throws {
            driven = try HandDrivenLoop()
            var configuration = TCPServerConfiguration(listen: [address])
            configuration.security.exceptions[address] = .some(session)
            let made = Handler(handler: handler)
            server = TCPServer(
                configuration: configuration, mainLoop: driven.loop, subLoops: []
            ) { _ in made.handler }
            peer = try RawPeer(connectingTo: server.start()[0])
            peer.send([1])
            driven.settle()
            while session.entered.wait(timeout: .now()) == .timedOut { driven.settle() }
        }
    }

    @Test(
        "What a peer sends before it leaves, during a step, is delivered after the step",
        arguments: [false, true])
    func leavesDuringStep(hangsUp: Bool) throws {
        let address = try NetAddress(parsing: "unix:@rocket-\(UInt64.random(in: 0 ... .max))")
        let threaded = try Threaded(address)
        threaded.peer.send([2, 3, 4])
        if hangsUp {
            // Nothing can be sent any more.
            threaded.session.answerBytes = 0
            threaded.peer.close()
        } else {
            threaded.peer.finish()
        }
        threaded.driven.settle()
        #expect(threaded.handler.events == [])
        threaded.session.gate.signal()
        // Also where it ends without a call of the handler.
        while threaded.handler.events.isEmpty, threaded.server.connectionCount > 0 {
            threaded.driven.tick()
        }
        threaded.driven.settle()
        #expect(threaded.handler.bytes == [2, 3, 4])
        #expect(
            threaded.handler.events
                == [.connected, .received(3), .inputEnded, .closed(.peerFinished)])
        #expect(threaded.server.connectionCount == 0 && threaded.server.bufferedBytes == 0)
    }

    @Test("A step that ends after its connection calls nobody, and counts for nothing")
    func endsAfterConnection() throws {
        let threaded = try Threaded(.loopback(port: 0))
        threaded.peer.reset()
        while threaded.server.connectionCount > 0 { threaded.driven.tick() }
        threaded.session.gate.signal()
        threaded.driven.settle()
        #expect(threaded.handler.events == [])
        #expect(threaded.server.bufferedBytes == 0)
    }

    @Test("Of a connection that has ended nothing waits for a thread, and nothing is done")
    func abandoned() throws {
        var count = 0
        var session: EndlessSession? = EndlessSession { count += 1 }
        weak let watched = session
        let security = ConnectionSecurity(try #require(session))
        session = nil
        var input = ByteBuffer()
        input.append([UInt8](repeating: 1, count: 100))
        let taken = security.takeStep(&input)
        let step = try #require(taken)
        #expect(watched != nil && security.isAway)
        security.abandonStep()
        #expect(watched == nil)
        step.run()
        #expect(count == 0 && step.failure == nil)
    }

    @Test("A step that has begun is done")
    func begun() throws {
        var count = 0
        let security = ConnectionSecurity(EndlessSession { count += 1 })
        var input = ByteBuffer()
        let taken = security.takeStep(&input)
        let step = try #require(taken)
        step.run()
        security.abandonStep()
        security.takeBack(step)
        #expect(count == 1 && !security.isAway)
    }

    @Test("The end of a connection abandons its step")
    func connectionEnds() throws {
        let driven = try HandDrivenLoop()
        let handler = RecordingConnectionHandler()
        let pair = try FileDescriptor.socketPair()
        var made: TCPConnection?
        pair.take { near, _ in
            made = TCPConnection.adopt(
                near, on: driven.reactor, security: EndlessSession(), handler: handler)
        }
        let connection = try #require(made)
        let security = try #require(connection.security)
        var input = ByteBuffer()
        let taken = security.takeStep(&input)
        let step = try #require(taken)
        connection.close(.now)
        #expect(step.session == nil)
        driven.tick()
        #expect(handler.events == [.closed(.requested)])
    }

    @Test("A loop that ends cancels a connect whose handshake goes on, and tries no other address")
    func loopEnds() throws {
        let driven = try HandDrivenLoop()
        let sites = try (0..<2).map { _ in
            let site = try RawListener()
            try site.listen(backlog: 8)
            return site
        }
        let handler = RecordingConnectionHandler()
        var result: Result<TCPConnection, ConnectError>?
        TCPClient.connect(
            to: sites.map(\.address), on: driven.reactor, timeout: .seconds(3600),
            security: EndlessSecurity(), handler: handler
        ) { result = $0 }
        driven.settle()
        driven.loop.stop()
        driven.loop.run()
        guard case .failure(let error)? = result else {
            Issue.record("\(String(describing: result))")
            return
        }
        #expect(error.kind == .cancelled)
        #expect(error.attempts.map(\.address) == [sites[0].address])
        #expect(handler.events == [])
    }
}
