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

    @Test("Refuses connections at the limit")
    func theNextConnectionIsRefusedAtTheLimit() throws {
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

    @Test("Leaves connections in the backlog at the limit with atLimit park")
    func theNextConnectionIsParkedAtTheLimit() throws {
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

    @Test("Limits the connections of one peer")
    func limitPerPeer() throws {
        let (server, address) = try server { $0.maxConnectionsPerPeer = 2 }
        let peers = try (0..<3).map { _ in try RawPeer(connectingTo: address) }
        driven.settle()
        #expect(server.connectionCount == 2)
        #expect(peers[2].receive() == .end)
        peers[1].close()
        driven.settle()
        #expect(answers(try RawPeer(connectingTo: address)))
    }

    @Test("Counts and limits the buffered bytes of the server")
    func theServersBufferedBytesAreCountedAndLimited() throws {
        let (server, address) = try server {
            $0.budget = ByteBudget(limitBytes: 20_000_000)
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

    /// Writes for ever in one callback.
    private final class Flood: TCPConnectionHandler {
        let probe: (TCPConnection) -> Void
        init(_ probe: @escaping (TCPConnection) -> Void) { self.probe = probe }
        func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
            input.removeAll()
            let block = [UInt8](repeating: 1, count: 4096)
            for _ in 0..<(1 << 30) / block.count where connection.state == .connected {
                connection.write { $0.append(block) }
                probe(connection)
            }
        }
    }

    @Test("Applies the limit of the server in the middle of a tick")
    func theServersLimitHoldsInTheMiddleOfATick() throws {
        var configuration = TCPServerConfiguration(listen: [.loopback(port: 0)])
        configuration.budget = ByteBudget(limitBytes: 1 << 20)
        var most = 0
        let count = LoopBound({ most = max(most, $0) }, on: driven.reactor)
        let server = TCPServer(
            configuration: configuration, mainLoop: driven.loop, subLoops: []
        ) { _ in Flood { count.get()($0.bufferedBytes) } }
        let address = try #require(try server.start().first)
        driven.settle()
        let peer = try RawPeer(connectingTo: address)
        peer.send([1])
        driven.settle()
        #expect(server.connectionCount == 0)
        #expect(server.bufferedBytes == 0)
        // Exceeds the limit by no more than one step of recording and one write.
        #expect(most > 1 << 20 && most <= (1 << 20) + (16 << 10) + 4096)
    }

    @Test("Accepts in batches")
    func acceptingIsDoneInBatches() throws {
        let (server, address) = try server { $0.acceptBatch = 3 }
        let peers = try (0..<8).map { _ in try RawPeer(connectingTo: address) }
        driven.tick()
        #expect(server.connectionCount == 3)
        driven.settle()
        #expect(server.connectionCount == 8)
        #expect(peers.allSatisfy { answers($0) })
    }
}
