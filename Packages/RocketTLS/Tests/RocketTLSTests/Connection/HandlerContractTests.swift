import COpenSSL
import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import RocketTLSTestKit
import Testing

@testable import RocketTLS

@Suite(.oneAtATime) struct HandlerContractTests {
    let driven: HandDrivenLoop
    let authority: Authority
    let client, server: TLSContext

    init() throws {
        driven = try HandDrivenLoop()
        authority = try Authority()
        client = try authority.client()
        server = try authority.server()
    }

    /// Goes on until the client's side of the handshake has ended, with its last flight unsent.
    private func almostOpen(_ torn: TornPeer) throws {
        while torn.client.phase == .handshake {
            _ = torn.send(.max)
            try torn.receive()
        }
        #expect(torn.handler.events == [] && !torn.toServer.isEmpty)
    }

    @Test("A first message that comes with the end of the handshake is in time")
    func firstBytes() throws {
        var configuration = TCPConnectionConfiguration()
        configuration.firstBytesTimeout = .seconds(30)
        let torn = try TornPeer(client, server, on: driven, configuration: configuration)
        try almostOpen(torn)
        try torn.client.encrypt(Array("first".utf8).span.bytes, output: &torn.toServer)
        _ = torn.send(.max)
        #expect(torn.handler.bytes == Array("first".utf8))
        driven.tick(after: .seconds(60))
        driven.tick()
        #expect(torn.handler.closeReason == nil)
    }

    @Test("A client that says nothing after its handshake has the time for its first message")
    func noFirstBytes() throws {
        var configuration = TCPConnectionConfiguration()
        configuration.firstBytesTimeout = .seconds(30)
        let torn = try TornPeer(client, server, on: driven, configuration: configuration)
        try torn.exchange()
        driven.tick(after: .seconds(31))
        driven.tick()
        #expect(torn.handler.closeReason == .firstBytesTimeout)
    }

    @Test("The end of the input comes after the input that a handler holds back")
    func endBehindHeldInput() throws {
        let torn = try TornPeer(client, server, on: driven)
        torn.handler.onConnected = { $0.pauseReading() }
        try almostOpen(torn)
        try torn.client.encrypt(Array("last words".utf8).span.bytes, output: &torn.toServer)
        torn.client.finish(output: &torn.toServer)
        _ = torn.send(.max)
        driven.tick()
        #expect(torn.handler.events == [.connected])
        torn.connection.resumeReading()
        for _ in 0..<3 { driven.tick() }
        #expect(torn.handler.bytes == Array("last words".utf8))
        #expect(torn.handler.events.prefix(3) == [.connected, .received(10), .inputEnded])
    }

    @Test("The end of the input comes after all parts that a handler takes one by one")
    func endBehindParts() throws {
        let torn = try TornPeer(client, server, on: driven)
        torn.handler.onReceived = { connection, input in
            torn.handler.take(&input, min(4, input.readableBytes))
            connection.pauseReading()
        }
        try almostOpen(torn)
        try torn.client.encrypt(Array("last words".utf8).span.bytes, output: &torn.toServer)
        torn.client.finish(output: &torn.toServer)
        _ = torn.send(.max)
        for _ in 0..<5 {
            torn.connection.resumeReading()
            driven.tick()
        }
        #expect(
            torn.handler.events.prefix(5) == [
                .connected, .received(10), .received(6), .received(2), .inputEnded,
            ])
    }

    @Test("The end of the input comes when input that was held back was taken elsewhere")
    func endBehindTakenInput() throws {
        let torn = try TornPeer(client, server, on: driven)
        torn.handler.onConnected = { $0.pauseReading() }
        try almostOpen(torn)
        try torn.client.encrypt(Array("last words".utf8).span.bytes, output: &torn.toServer)
        torn.client.finish(output: &torn.toServer)
        _ = torn.send(.max)
        torn.connection.withInput { $0.removeAll() }
        torn.connection.resumeReading()
        for _ in 0..<3 { driven.tick() }
        #expect(torn.handler.events.prefix(2) == [.connected, .inputEnded])
    }

    @Test("What comes while a connection closes is dropped, also where its handler had paused")
    func dropsWhileClosing() throws {
        var configuration = TCPConnectionConfiguration()
        configuration.inputLimitBytes = 64 << 10
        let torn = try TornPeer(client, server, on: driven, configuration: configuration)
        try torn.exchange()
        torn.connection.pauseReading()
        torn.connection.write { $0.append([UInt8](repeating: 7, count: 4 << 20)) }
        torn.connection.close(.afterFlush)
        let bytes = [UInt8](repeating: 1, count: secureUnitBytes)
        for _ in 0..<20 {
            try torn.client.encrypt(bytes.span.bytes, output: &torn.toServer)
            _ = torn.send(.max)
        }
        #expect(torn.handler.closeReason == nil)
        for _ in 0..<200 {
            try torn.receive()
            driven.tick()
        }
        #expect(torn.plaintext.readableBytes == 4 << 20)
        #expect(torn.client.phase == .inputEnded)
    }

    @Test("A peer that does not read is closed when the time for writes has passed")
    func writeTimeout() throws {
        var configuration = TCPConnectionConfiguration()
        configuration.writeTimeout = .seconds(10)
        let torn = try TornPeer(client, server, on: driven, configuration: configuration)
        try torn.exchange()
        driven.tick(after: .seconds(100))
        torn.connection.write { $0.append([UInt8](repeating: 7, count: 8 << 20)) }
        driven.tick()
        driven.tick(after: .seconds(9))
        driven.tick()
        #expect(torn.handler.closeReason == nil)
        driven.tick(after: .seconds(2))
        driven.tick()
        #expect(torn.handler.closeReason == .writeTimeout)
    }

    @Test("What a client has written, and ended, before its handshake ended is sent then")
    func writtenEarly() throws {
        let handler = RecordingConnectionHandler()
        let session = try TLSSession(connectingBy: client, to: "localhost")
        // With TLS 1.2 the server has the last word.
        #expect(
            SSL_ctrl(session.ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(TLS1_2_VERSION), nil) == 1)
        let far = try TLSSession(acceptingBy: server)
        let pair = try FileDescriptor.socketPair()
        var made: (TCPConnection, RawPeer)?
        pair.take { near, far in
            made = (
                TCPConnection.adopt(near, on: driven.reactor, security: session, handler: handler),
                RawPeer(far)
            )
        }
        let (connection, peer) = try #require(made)
        connection.write { $0.append(utf8: "early") }
        connection.finishWriting()
        var plaintext = ByteBuffer()
        for _ in 0..<10 {
            driven.tick()
            var arrived = ByteBuffer()
            var answer = ByteBuffer()
            arrived.append(peer.receiveAll())
            try far.receive(&arrived, plaintext: &plaintext, output: &answer)
            peer.send(answer.copyBytes())
        }
        #expect(far.version == "TLSv1.2")
        #expect(String(decoding: plaintext.copyBytes(), as: UTF8.self) == "early")
        #expect(far.phase == .inputEnded)
    }
}
