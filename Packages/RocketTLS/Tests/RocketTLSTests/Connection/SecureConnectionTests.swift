import RocketBase
import RocketBaseTestKit
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import RocketTLS
import RocketTLSTestKit
import Testing

@Suite(.oneAtATime) struct SecureConnectionTests {
    private func text(_ handler: RecordingConnectionHandler?) -> String {
        String(decoding: handler?.bytes ?? [], as: UTF8.self)
    }

    @Test("Handlers are called when the handshake has ended, and get plaintext")
    func exchange() throws {
        let scene = try SecureScene()
        let client = try scene.connect()
        client.handler.onConnected = { $0.write { $0.append(utf8: "from the client") } }
        scene.prepare { $0.onConnected = { $0.write { $0.append(utf8: "from the server") } } }
        scene.settle()
        #expect(client.handler.events.first == .connected)
        #expect(text(scene.handlers.first) == "from the client")
        #expect(text(client.handler) == "from the server")
        let connection = try #require(client.handler.connection)
        #expect(connection.negotiatedProtocol == "rocket/1")
        guard case .certificate(let certificate) = connection.peerIdentity else {
            Issue.record("\(connection.peerIdentity)")
            return
        }
        #expect(certificate.subject == "CN=server")
        #expect(scene.handlers.first?.connection?.peerIdentity == PeerIdentity.none)
        #expect(connection.sentBytes == 15)
    }

    @Test("A client's certificate is its identity")
    func mutual() throws {
        let clients = try Authority()
        let scene = try SecureScene {
            $0.clientCA = clients.ca.certificate
            $0.clientAuthentication = .required
        }
        let client = try scene.connect {
            $0.identity = clients.ca.issue("orders", names: "URI:spiffe://test/orders")
        }
        scene.settle()
        #expect(client.error == nil)
        guard case .certificate(let found)? = scene.handlers.first?.connection?.peerIdentity else {
            Issue.record("no certificate")
            return
        }
        #expect(found.uris == ["spiffe://test/orders"])
    }

    @Test("Much data in both directions arrives whole, in its order, within the water marks")
    func bulk() throws {
        let scene = try SecureScene()
        let bytes = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        let shared = SharedBytes(bytes)
        let client = try scene.connect()
        client.handler.onConnected = { connection in
            connection.write { $0.append(bytes) }
            #expect(!connection.isWritable)
        }
        scene.prepare {
            $0.onConnected = { connection in
                connection.write { $0.append(utf8: "own") }
                connection.write(shared: shared)
                connection.write { $0.append(utf8: "end") }
            }
        }
        scene.settle()
        #expect(scene.handlers.first?.bytes == bytes)
        #expect(client.handler.bytes == Array("own".utf8) + bytes + Array("end".utf8))
        let connection = try #require(client.handler.connection)
        #expect(connection.isWritable && connection.pendingBytes == 0)
        #expect(connection.sentBytes == UInt64(bytes.count))
        #expect(client.handler.events.contains(.writability(true)))
    }

    @Test("A close after the flush sends everything, and the peer reads the end")
    func closes() throws {
        let scene = try SecureScene()
        let client = try scene.connect()
        client.handler.onConnected = {
            $0.write { $0.append(utf8: "last words") }
            $0.close(.afterFlush)
        }
        scene.settle()
        let server = try #require(scene.handlers.first)
        #expect(text(server) == "last words")
        #expect(server.events.suffix(2) == [.inputEnded, .closed(.peerFinished)])
        #expect(client.handler.closeReason == .requested)
        #expect(scene.server.connectionCount == 0)
    }

    @Test("A half-closed connection still receives")
    func halfClose() throws {
        let scene = try SecureScene()
        scene.prepare {
            $0.onInputEnded = { connection in
                connection.write { $0.append(utf8: "a late reply") }
                connection.close(.afterFlush)
            }
        }
        let client = try scene.connect()
        client.handler.onConnected = {
            $0.write { $0.append(utf8: "a request") }
            $0.finishWriting()
        }
        scene.settle()
        #expect(text(scene.handlers.first) == "a request")
        #expect(text(client.handler) == "a late reply")
        #expect(client.handler.closeReason == .peerFinished)
    }

    @Test("A client that does not trust the server reports that, and its handler is never called")
    func distrust() throws {
        let lines = try LogLines()
        let scene = try SecureScene(logger: lines.logger)
        let other = try Authority()
        let client = try scene.connect { $0.trust = .file(other.ca.certificate) }
        scene.settle()
        #expect(client.error?.kind == .insecure)
        #expect(client.error?.description.contains("unable to get local issuer") == true)
        #expect(client.handler.events == [])
        #expect(scene.handlers.first?.events == [])
        #expect(scene.server.connectionCount == 0)
        let named = try scene.connect(host: "other.example")
        scene.settle()
        #expect(named.error?.description.contains("hostname mismatch") == true)
        // It has said so to the server, too.
        #expect(lines.end().first == "a connection is refused: its handshake failed")
    }

    @Test("What comes while the handler does not read waits until it does")
    func paused() throws {
        let scene = try SecureScene()
        scene.prepare { $0.onConnected = { $0.pauseReading() } }
        let client = try scene.connect()
        client.handler.onConnected = { $0.write { $0.append(utf8: "patience") } }
        scene.settle()
        let server = try #require(scene.handlers.first)
        #expect(server.events == [.connected])
        server.connection?.resumeReading()
        scene.settle()
        #expect(text(server) == "patience")
    }

    @Test("A server that drains during a handshake lets it end, then drains the connection")
    func drains() throws {
        let scene = try SecureScene()
        let client = try scene.connect()
        // The connection is accepted, and its handshake has not ended.
        while scene.handlers.isEmpty { scene.driven.tick() }
        scene.server.drain(within: .seconds(3600)) {}
        scene.settle()
        #expect(scene.handlers.first?.events.prefix(2) == [.connected, .draining])
        #expect(client.handler.events.first == .connected)
        #expect(scene.server.connectionCount == 0)
    }

    @Test("A client that says nothing is closed when the time for handshakes has passed")
    func handshakeTimeout() throws {
        let lines = try LogLines()
        let scene = try SecureScene(logger: lines.logger)
        let silent = try (0..<3).map { _ in try RawPeer(connectingTo: scene.address) }
        scene.settle()
        #expect(scene.server.connectionCount == 3)
        scene.driven.tick(after: .seconds(11))
        scene.settle()
        #expect(scene.server.connectionCount == 0)
        #expect(silent.map { $0.receive() } == [.end, .end, .end])
        #expect(lines.end().prefix { !$0.hasPrefix("more lines") }.count == 1)
    }

    @Test("Half handshakes hold no more than the budget, and end with the time for handshakes")
    func halfHandshakes() throws {
        let budget = ByteBudget(limitBytes: 8 << 20)
        let lines = try LogLines()
        let scene = try SecureScene(logger: lines.logger, tcp: { $0.budget = budget })
        var hello = ByteBuffer()
        try TLSSession(connectingBy: scene.authority.client(), to: "localhost")
            .begin(output: &hello)
        let half = Array(hello.copyBytes().prefix(100))
        let peers = try (0..<1_000).map { _ in
            let peer = try RawPeer(connectingTo: scene.address)
            peer.send(half)
            scene.driven.tick()
            return peer
        }
        scene.settle()
        #expect(scene.server.bufferedBytes <= 8 << 20)
        #expect(scene.server.connectionCount > 20)
        scene.driven.tick(after: .seconds(11))
        scene.settle()
        #expect(scene.server.connectionCount == 0 && scene.server.bufferedBytes == 0)
        #expect(scene.handlers.allSatisfy { $0.events.isEmpty })
        // One line of each kind: the time, the budget.
        #expect(lines.end().filter { !$0.hasPrefix("more lines") }.count <= 2)
        withExtendedLifetime(peers) {}
    }

    @Test("Plaintext and garbage end the handshake, with one line in the log")
    func garbage() throws {
        let lines = try LogLines()
        let scene = try SecureScene(logger: lines.logger)
        let plain = try RawPeer(connectingTo: scene.address)
        let http = try RawPeer(connectingTo: scene.address)
        plain.send([2] + Array(repeating: 0, count: 40))
        http.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        scene.settle()
        #expect(scene.server.connectionCount == 0)
        #expect(scene.handlers.map(\.events) == [[], []])
        // What they have sent has not been taken: that is no ordinary end.
        for peer in [plain, http] {
            guard case .failed = peer.receive() else {
                Issue.record("no reset")
                continue
            }
        }
        #expect(lines.end().prefix { !$0.hasPrefix("more lines") }.count == 1)
    }

    @Test("A peer that leaves during the handshake is no reason to warn")
    func leaves() throws {
        let lines = try LogLines()
        let scene = try SecureScene(logger: lines.logger)
        let peer = try RawPeer(connectingTo: scene.address)
        scene.settle()
        peer.send([0x16, 3, 1])
        peer.finish()
        scene.settle()
        #expect(scene.server.connectionCount == 0)
        #expect(lines.end() == [])
    }
}
