import RocketBase
import RocketReactorTestKit
import RocketTCPTestKit
import Testing

@testable import RocketNATS

/// A server that is about to shut down, and another one that replaces it.
@Suite(.oneAtATime) struct NATSShutdownTests {
    private let scene: ClientScene
    private let other: RawListener
    private let subject: NATSSubject

    init() throws {
        let scene = try ClientScene()
        self.scene = scene
        other = try RawListener()
        subject = try NATSSubject("s")
        try other.listen()
        try scene.client.subscribe(subject) { _, _ in }
    }

    private func shutDown() {
        scene.send(
            "INFO {\"max_payload\":9,\"ldm\":true,\"connect_urls\":[\"\(other.address)\"]}\r\n")
    }

    private func text(_ peer: RawPeer) -> String {
        scene.settle()
        return String(decoding: peer.receiveAll(), as: UTF8.self)
    }

    private func send(_ text: String, to peer: RawPeer) {
        peer.sendAll(Array(text.utf8))
        scene.settle()
    }

    private func publish(_ text: String) -> NATSPublishOutcome {
        scene.client.publish(subject, Array(text.utf8).span.bytes)
    }

    @Test("Another server replaces one that shuts down, which is used until then")
    func replaced() throws {
        var received = 0
        let client = scene.client
        try client.subscribe(NATSSubject("t")) { _, _ in received += 1 }
        try scene.connect()
        shutDown()
        #expect(client.serverInfo?.isShuttingDown == true)
        // It says so again with each change of the cluster.
        shutDown()
        let next = try #require(other.accept())
        send(#"INFO {"server_name":"two","max_payload":9}"# + "\r\n", to: next)
        #expect(text(next).hasSuffix("PING\r\nSUB s 1\r\nSUB t 2\r\n"))
        #expect(other.accept() == nil)
        let third = try client.subscribe(NATSSubject("u")) { _, _ in }
        client.unsubscribe(third)
        #expect(publish("a") == .taken)
        #expect(scene.sent() == "SUB u 3\r\nUNSUB 3\r\nPUB s 1\r\na\r\n")
        #expect(text(next) == "SUB u 3\r\nUNSUB 3\r\n")
        scene.send("MSG t 2 0\r\n\r\n")
        #expect(publish("b") == .taken)
        send("PONG\r\nMSG t 2 0\r\n\r\n", to: next)
        #expect(scene.events == ["connected one", "connected two"] && received == 2)
        #expect(publish("c") == .taken)
        #expect(text(next) == "PUB s 1\r\nc\r\n")
        // What was published before is sent, and nothing more is taken from it.
        #expect(scene.sent() == "PUB s 1\r\nb\r\n")
        scene.send("MSG t 2 0\r\n\r\n")
        #expect(received == 2 && scene.peer?.receive() == .end)
        #expect(client.statistics.connections == 2 && client.statistics.lostConnections == 0)
        scene.end()
    }

    @Test("A server that ends before another one is ready is lost, and that one is waited for")
    func lostBefore() throws {
        try scene.connect()
        shutDown()
        let next = try #require(other.accept())
        scene.peer?.close()
        scene.settle()
        #expect(scene.events.last == "lost: the peer closed" && scene.waits == [.zero])
        #expect(publish("a") == .notConnected)
        scene.driven.tick(after: .seconds(1))
        scene.settle()
        #expect(scene.listener.accept() == nil)
        send(ClientScene.info, to: next)
        send("PONG\r\n", to: next)
        #expect(scene.events.last == "connected one" && publish("a") == .taken)
        scene.end()
    }

    @Test("One that can't be connected to leaves the first one in use; stopping ends both")
    func noSuccessor() throws {
        try scene.connect()
        shutDown()
        for _ in 0..<2 {
            let next = try #require(other.accept())
            next.close()
            scene.settle()
            scene.driven.tick(after: .seconds(1))
            scene.settle()
            scene.listener.accept()?.close()
            scene.settle()
            scene.driven.tick(after: .seconds(1))
            scene.settle()
        }
        #expect(scene.events == ["connected one"] && publish("a") == .taken)
        #expect(scene.client.statistics.failures == 4)
        scene.end()
        #expect(scene.events == ["connected one", "stopped"])
    }

    @Test("Without another server the connection stays until the server ends it")
    func alone() throws {
        try scene.connect()
        scene.send(#"INFO {"max_payload":9,"ldm":true}"# + "\r\n")
        #expect(scene.listener.accept() == nil && scene.client.isConnected)
        scene.end()
    }
}
