import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct TCPServerLimitTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    private func server(
        listen: [NetAddress] = [.loopback(port: 0)],
        _ change: (inout TCPServerConfiguration) -> Void
    ) throws -> (TCPServer, NetAddress) {
        var configuration = TCPServerConfiguration(listen: listen)
        change(&configuration)
        let server = TCPServer(
            configuration: configuration, mainLoop: driven.loop, subLoops: []
        ) { _ in EchoHandler() }
        let address = try #require(try server.start().first)
        driven.settle()
        return (server, address)
    }

    private func answers(_ peer: RawPeer) -> Bool {
        peer.send([1])
        driven.settle()
        return peer.receive() == .bytes([1])
    }

    @Test func theNextConnectionIsRefusedAtTheLimit() throws {
        let (server, address) = try server { $0.maxConnections = 2 }
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: address) }
        driven.settle()
        #expect(server.connectionCount == 2)
        #expect(answers(peers[0]) && answers(peers[1]))
        #expect(peers[2].receive() == .end)
        peers[0].close()
        driven.settle()
        #expect(answers(try RawPeer(connectingTo: address)))
    }

    @Test func theNextConnectionIsParkedAtTheLimit() throws {
        let (server, address) = try server {
            $0.maxConnections = 2
            $0.atLimit = .park
        }
        let peers = try (0..<4).map { _ in try RawPeer(connectingTo: address) }
        driven.settle()
        #expect(server.connectionCount == 2)
        peers[2].send([1])
        driven.settle()
        #expect(peers[2].receive() == .nothing)
        peers[0].close()
        driven.settle()
        #expect(peers[2].receive() == .bytes([1]))
        #expect(server.connectionCount == 2)
        peers[1].close()
        driven.settle()
        #expect(answers(peers[3]))
    }

    @Test func onePeerMayNotTakeAllConnections() throws {
        let (server, address) = try server { $0.maxConnectionsPerPeer = 2 }
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: address) }
        driven.settle()
        #expect(server.connectionCount == 2)
        #expect(peers[2].receive() == .end)
        peers[1].close()
        driven.settle()
        #expect(answers(try RawPeer(connectingTo: address)))
    }

    @Test func theServersBufferedBytesAreCountedAndLimited() throws {
        let (server, address) = try server {
            $0.bufferLimitBytes = 20_000_000
            $0.connection.kernelSendBufferBytes = 4096
            $0.connection.highWaterMarkBytes = 100 << 20
        }
        let greedy = try RawPeer(connectingTo: address)
        let modest = try RawPeer(connectingTo: address)
        driven.settle()
        let block = [UInt8](repeating: 1, count: 1 << 16)
        for _ in 0..<2_000 where server.connectionCount == 2 {
            greedy.send(block)
            driven.settle()
            #expect(server.bufferedBytes <= 20_000_000)
        }
        #expect(server.connectionCount == 1)
        #expect(server.bufferedBytes == 0)
        #expect(answers(modest))
    }

    @Test func acceptingIsDoneInBatches() throws {
        let (server, address) = try server { $0.acceptBatch = 3 }
        let peers = try (0..<8).map { _ in try RawPeer(connectingTo: address) }
        driven.tick()
        #expect(server.connectionCount == 3)
        driven.settle()
        #expect(server.connectionCount == 8)
        #expect(peers.allSatisfy { answers($0) })
    }
}
