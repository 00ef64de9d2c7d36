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

@Suite(.oneAtATime) struct HandshakeStepTests {
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
        security.finish(step)
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
