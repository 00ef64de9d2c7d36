import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import RocketTLS
import RocketTLSTestKit
import Testing

/// A server's connection on one end of a socket pair, and a client's session, whose bytes the test
/// sends itself, on the other.
final class TornPeer {
    let handler = RecordingConnectionHandler()
    let client: TLSSession
    let peer: RawPeer
    let connection: TCPConnection
    var toServer = ByteBuffer()
    var plaintext = ByteBuffer()
    private let driven: HandDrivenLoop

    init(
        _ client: TLSContext, _ server: TLSContext, on driven: HandDrivenLoop,
        configuration: TCPConnectionConfiguration = TCPConnectionConfiguration()
    ) throws {
        self.driven = driven
        self.client = try TLSSession(connectingBy: client, to: "localhost")
        let pair = try FileDescriptor.socketPair()
        let (handler, session) = (handler, try TLSSession(acceptingBy: server))
        var made: (TCPConnection, RawPeer)?
        pair.take { near, far in
            made = (
                TCPConnection.adopt(
                    near, on: driven.reactor, configuration: configuration, security: session,
                    handler: handler),
                RawPeer(far)
            )
        }
        (connection, peer) = try #require(made)
        try self.client.begin(output: &toServer)
    }

    /// Sends at most `most` bytes of what the client has to say.
    ///
    /// - Returns: how many were sent.
    func send(_ most: Int) -> Int {
        let bytes = Array(toServer.copyBytes().prefix(most))
        toServer.consume(bytes.count)
        peer.send(bytes)
        driven.tick()
        return bytes.count
    }

    /// Gives what has arrived to the client.
    func receive() throws {
        var arrived = ByteBuffer()
        arrived.append(peer.receiveAll())
        try client.receive(&arrived, plaintext: &plaintext, output: &toServer)
    }

    /// Sends everything in parts of so many bytes, until both sides are silent.
    func exchange(most: Int = .max) throws {
        while send(most) > 0 || !toServer.isEmpty {
            driven.tick()
            try receive()
        }
    }
}

@Suite(.oneAtATime) struct TornConnectionTests {
    let driven: HandDrivenLoop
    let authority: Authority
    let client, server: TLSContext

    init() throws {
        driven = try HandDrivenLoop()
        authority = try Authority()
        client = try authority.client()
        server = try authority.server()
    }

    @Test("A handshake and records that arrive byte by byte, or in any parts", arguments: 1...9)
    func parts(most: Int) throws {
        let torn = try TornPeer(client, server, on: driven)
        try torn.exchange(most: most)
        #expect(torn.handler.events == [.connected])
        for number in 0..<20 {
            try torn.client.encrypt([UInt8(number)].span.bytes, output: &torn.toServer)
        }
        try torn.exchange(most: most)
        #expect(torn.handler.bytes == (0..<20).map { UInt8($0) })
    }

    @Test("A client that leaves after each byte of its handshake ends the connection, and no more")
    func leavesAnywhere() throws {
        let whole = try TornPeer(client, server, on: driven)
        var total = 0
        while whole.handler.events.isEmpty {
            total += whole.send(.max)
            try whole.receive()
        }
        #expect(total > 200)
        for count in 0..<total - 100 {
            let torn = try TornPeer(client, server, on: driven)
            var left = count
            while left > 0 {
                left -= torn.send(left)
                try torn.receive()
            }
            torn.peer.finish()
            driven.tick()
            driven.tick()
            #expect(torn.handler.events == [.closed(.peerFinished)], "after \(count) bytes")
        }
        #expect(driven.reactor.registrationCount == 2)
    }

    @Test("A record whose rest is missing has a time limit, and one that is complete has none")
    func partialRecord() throws {
        var configuration = TCPConnectionConfiguration()
        configuration.partialInputTimeout = .seconds(60)
        let torn = try TornPeer(client, server, on: driven, configuration: configuration)
        try torn.exchange()
        let bytes = [UInt8](repeating: 1, count: 100)
        try torn.client.encrypt(bytes.span.bytes, output: &torn.toServer)
        _ = torn.send(50)
        driven.tick(after: .seconds(50))
        _ = torn.send(.max)
        #expect(torn.handler.bytes.count == 100)
        driven.tick(after: .seconds(120))
        driven.tick()
        #expect(torn.handler.closeReason == nil)
        try torn.client.encrypt([2].span.bytes, output: &torn.toServer)
        _ = torn.send(5)
        driven.tick(after: .seconds(61))
        driven.tick()
        #expect(torn.handler.closeReason == .partialInputTimeout)
    }

    @Test("A client that is refused after it has sent a request reads why, and no reset")
    func refusedLate() throws {
        let demanding = try authority.server {
            $0.clientCA = authority.ca.certificate
            $0.clientAuthentication = .required
        }
        let torn = try TornPeer(client, demanding, on: driven)
        _ = torn.send(.max)
        try torn.receive()
        #expect(torn.client.phase == .open)
        // Its certificate is missing, and behind that comes more than one read takes.
        for _ in 0..<4 {
            let request = [UInt8](repeating: 1, count: 16 << 10)
            try torn.client.encrypt(request.span.bytes, output: &torn.toServer)
        }
        while torn.send(1000) > 0 {}
        let error = #expect(throws: TransportSecurityError.self) { try torn.receive() }
        #expect(error?.text.contains("certificate required") == true)
        #expect(torn.peer.receive() == .end)
        #expect(torn.handler.events == [])
        torn.peer.finish()
        driven.tick()
        driven.tick()
        #expect(driven.reactor.registrationCount == 1)
    }

    @Test("A record that was changed ends the connection, and nothing of it is delivered")
    func changedRecord() throws {
        let torn = try TornPeer(client, server, on: driven)
        try torn.exchange()
        try torn.client.encrypt(Array("pay 1".utf8).span.bytes, output: &torn.toServer)
        var bytes = torn.toServer.copyBytes()
        bytes[bytes.count - 1] ^= 1
        torn.peer.send(bytes)
        driven.tick()
        driven.tick()
        #expect(torn.handler.bytes == [])
        guard case .insecure(let error)? = torn.handler.closeReason else {
            Issue.record("\(String(describing: torn.handler.closeReason))")
            return
        }
        #expect(error.kind == .stream)
    }

    @Test("A record that claims to be longer than the protocol allows ends the connection")
    func oversizedRecord() throws {
        let torn = try TornPeer(client, server, on: driven)
        try torn.exchange()
        torn.peer.send([0x17, 3, 3, 0xFF, 0xFF] + Array(repeating: 0, count: 100))
        driven.tick()
        driven.tick()
        guard case .insecure? = torn.handler.closeReason else {
            Issue.record("\(String(describing: torn.handler.closeReason))")
            return
        }
    }

    @Test("What was not sent whole does not count as sent")
    func sentBytes() throws {
        let torn = try TornPeer(client, server, on: driven)
        try torn.exchange()
        torn.connection.write { $0.append([UInt8](repeating: 7, count: 8 << 20)) }
        driven.tick()
        let first = torn.connection.sentBytes
        #expect(first > 0 && first < 8 << 20)
        #expect(first.isMultiple(of: 16 << 10))
        // Not more is encrypted than what the kernel takes, and 64 KiB.
        #expect(torn.connection.pendingBytes < (8 << 20) - Int(first) + (17 << 10))
        try torn.receive()
        #expect(UInt64(torn.plaintext.readableBytes) == first)
    }
}
