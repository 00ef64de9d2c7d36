import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import RocketNATS

@Suite(.oneAtATime) struct NATSClientTests {
    @Test(
        "Waits for INFO, then sends CONNECT, PING and its subscriptions, and is connected at the PONG"
    )
    func greeting() throws {
        let scene = try ClientScene {
            $0.name = "a \"chat\""
            $0.credentials = .user("me", password: "pass")
            $0.echo = false
        }
        try scene.client.subscribe(NATSSubject("chat.*")) { _, _ in }
        try scene.client.subscribe(NATSSubject("work"), queueGroup: "group") { _, _ in }
        scene.client.start()
        scene.client.start()
        try scene.accept()
        #expect(scene.sent() == "")
        scene.send("INFO {\"max_payl")
        #expect(scene.sent() == "")
        scene.send("oad\":1000,\"server_name\":\"one\"}\r\n")
        let sent = scene.sent()
        let lines = sent.split(separator: "\r\n").map(String.init)
        #expect(lines.dropFirst() == ["PING", "SUB chat.* 1", "SUB work group 2"])
        let json = try #require(JSONObject(Array(lines[0].dropFirst("CONNECT ".count).utf8)))
        #expect(json.text("name") == "a \"chat\"" && json.text("lang") == "swift")
        #expect(json.text("user") == "me" && json.text("pass") == "pass")
        #expect(json.members["echo"] == .truth(false) && json.members["verbose"] == .truth(false))
        #expect(!scene.client.isConnected && scene.events == [])
        scene.send("PONG\r\n")
        #expect(scene.client.isConnected && scene.events == ["connected one"])
        #expect(scene.client.serverInfo?.maxPayloadBytes == 1000)
        scene.end()
    }

    private func publish(
        _ scene: ClientScene, _ subject: NATSSubject, _ payload: [UInt8]
    ) -> NATSPublishOutcome { scene.client.publish(subject, payload.span.bytes) }

    @Test("Publishes what was announced, and refuses what the server does not take")
    func publishing() throws {
        let scene = try ClientScene { $0.maxPendingBytes = 200 }
        let subject = try NATSSubject("a.b")
        let payload = Array("hello".utf8)
        #expect(publish(scene, subject, payload) == .notConnected)
        try scene.connect(info: "INFO {\"max_payload\":100}\r\n")
        #expect(publish(scene, subject, payload) == .taken)
        #expect(
            try scene.client.publish(
                subject, reply: NATSSubject("r"), byteCount: 0
            ) { _ in } == .taken)
        #expect(scene.sent() == "PUB a.b 5\r\nhello\r\nPUB a.b r 0\r\n\r\n")
        let long = [UInt8](repeating: 120, count: 101)
        let fitting = [UInt8](repeating: 120, count: 100)
        #expect(publish(scene, subject, long) == .tooLarge(limit: 100))
        #expect(publish(scene, subject, fitting) == .taken)
        #expect(publish(scene, subject, fitting) == .full)
        #expect(scene.sent().utf8.count == "PUB a.b 100\r\n\r\n".utf8.count + 100)
        #expect(publish(scene, subject, fitting) == .taken)
        let statistics = scene.client.statistics
        #expect(statistics.publishedMessages == 4 && statistics.publishedBytes == 205)
        #expect(statistics.refusedFull == 1 && statistics.refusedTooLarge == 1)
        #expect(statistics.refusedNotConnected == 1)
        scene.end()
        #expect(publish(scene, subject, payload) == .notConnected)
    }

    @Test("Passes messages to their subscription, until that ends")
    func receiving() throws {
        let scene = try ClientScene()
        var received: [String] = []
        var first: NATSSubscription?
        let client = scene.client
        func text(_ range: Range<Int>, _ bytes: RawSpan) -> String {
            String(decoding: Array(copying: bytes.extracting(range)), as: UTF8.self)
        }
        first = try client.subscribe(NATSSubject("a.>")) { message, bytes in
            received.append(
                "1 " + text(message.subject, bytes) + "=" + text(message.payload, bytes))
            if text(message.payload, bytes) == "end", let first { client.unsubscribe(first) }
        }
        try scene.connect()
        try client.subscribe(NATSSubject("b")) { message, bytes in
            received.append("2 " + text(message.payload, bytes) + text(message.reply, bytes))
            client.stop()
        }
        #expect(scene.sent() == "SUB b 2\r\n")
        scene.send(
            "MSG a.x 1 2\r\nhi\r\nMSG a.y 1 3\r\nend\r\nMSG a.z 1 0\r\n\r\nMSG c 7 0\r\n\r\n")
        #expect(received == ["1 a.x=hi", "1 a.y=end"])
        #expect(scene.sent() == "UNSUB 1\r\n")
        scene.send("HMSG b 2 r 12 14\r\nNATS/1.0\r\n\r\nhoMSG b 2 1\r\nx\r\n")
        // The bytes behind a payload break a rule; a message before them is delivered.
        #expect(received == ["1 a.x=hi", "1 a.y=end"])
        #expect(scene.events.last?.contains("line end at offset 32") == true)
        scene.driven.tick(after: scene.waits[0])
        try scene.accept()
        scene.send(ClientScene.info)
        #expect(scene.sent().hasSuffix("PING\r\nSUB b 2\r\n"))
        scene.send("PONG\r\nHMSG b 2 r 12 14\r\nNATS/1.0\r\n\r\nho\r\nMSG b 2 1\r\nx\r\n")
        #expect(received.last == "2 hor" && received.count == 3)
        scene.end()
    }

    @Test("Answers pings, and ends a connection whose server does not answer its own")
    func pings() throws {
        let scene = try ClientScene()
        try scene.connect()
        scene.send("PING\r\n")
        #expect(scene.sent() == "PONG\r\n")
        var answers: [Bool] = []
        scene.client.roundTrip { answers.append($0) }
        #expect(scene.sent() == "PING\r\n" && answers == [])
        scene.send("PONG\r\nPONG\r\n")
        #expect(answers == [true])
        for _ in 0..<2 {
            scene.driven.tick(after: .seconds(20))
            #expect(scene.sent() == "PING\r\n")
        }
        scene.send("PONG\r\n")
        for _ in 0..<2 {
            scene.driven.tick(after: .seconds(20))
            #expect(scene.sent() == "PING\r\n")
        }
        scene.client.roundTrip { answers.append($0) }
        scene.driven.tick(after: .seconds(20))
        scene.settle()
        #expect(scene.events.last?.contains("has not answered 2 pings") == true)
        #expect(scene.events.last?.hasPrefix("lost: ") == true && answers == [true, false])
        scene.client.roundTrip { answers.append($0) }
        #expect(answers == [true, false, false])
        scene.end()
    }

    @Test("A server whose PONG is late behind messages, or that is not read from, is not lost")
    func latePongs() throws {
        let scene = try ClientScene()
        try scene.client.subscribe(NATSSubject("a")) { _, _ in }
        try scene.connect()
        for _ in 0..<5 {
            scene.send("MSG a 1 0\r\n\r\n")
            scene.driven.tick(after: .seconds(20))
            #expect(scene.sent() == "PING\r\n")
        }
        scene.client.pauseReading()
        for _ in 0..<5 {
            scene.driven.tick(after: .seconds(20))
            #expect(scene.sent() == "PING\r\n")
        }
        scene.client.resumeReading()
        for _ in 0..<2 {
            #expect(scene.client.isConnected)
            scene.driven.tick(after: .seconds(20))
            scene.settle()
        }
        #expect(scene.events.last?.contains("has not answered 2 pings") == true)
        scene.end()
    }

    @Test("Says why a server has ended the connection")
    func serverErrors() throws {
        let scene = try ClientScene { $0.credentials = .token("x") }
        scene.client.start()
        try scene.accept()
        scene.send(ClientScene.info)
        #expect(scene.sent().contains("\"auth_token\":\"x\""))
        scene.send("-ERR 'Authorization Violation'\r\n")
        scene.peer?.close()
        scene.settle()
        #expect(
            scene.events == [
                "error: Authorization Violation",
                "failed: refused: the NATS server says: Authorization Violation",
            ])
        scene.driven.tick(after: scene.waits[0])
        try scene.accept()
        scene.send(ClientScene.info)
        scene.send("PONG\r\n-ERR 'Permissions Violation for Publish to \"a\"'\r\n")
        #expect(scene.events.last == "error: Permissions Violation for Publish to \"a\"")
        #expect(scene.client.isConnected)
        #expect(scene.client.statistics.serverErrors == 2 && scene.client.statistics.failures == 1)
        scene.end()
    }

    @Test(
        "A server that breaks the protocol, or is none, is left with a reason",
        arguments: [
            ("HTTP/1.1 400 Bad Request\r\n", "found \"HT\""), ("MSG a 1 0\r\n\r\n", "order"),
            ("PONG\r\n", "order"), ("INFO x\r\n", "no JSON object"),
            (#"INFO {"max_payload":1,"tls_required":true}"# + "\r\n", "requires TLS"),
        ])
    func brokenProtocol(_ text: String, _ problem: String) throws {
        let scene = try ClientScene()
        scene.client.start()
        try scene.accept()
        scene.send(text)
        #expect(scene.events.count == 1 && scene.events[0].contains(problem), "\(scene.events)")
        #expect(scene.sent() == "")
        scene.end()
    }

    @Test("A server that says nothing, or does not answer the first ping, is left in time")
    func silentServer() throws {
        let scene = try ClientScene()
        scene.client.start()
        try scene.accept()
        scene.driven.tick(after: .seconds(5))
        scene.settle()
        #expect(scene.events.last == "failed: refused: no INFO within 5.0 seconds")
        scene.driven.tick(after: .seconds(1))
        try scene.accept()
        scene.send(ClientScene.info)
        scene.driven.tick(after: .seconds(5))
        scene.settle()
        #expect(scene.events.last == "failed: refused: no PONG within 5.0 seconds")
        scene.end()
    }

    @Test(
        "Connects again with growing waits, at the next server, which the last one may have named")
    func reconnecting() throws {
        let other = try RawListener()
        let scene = try ClientScene { $0.discoversServers = true }
        try other.listen()
        try scene.client.subscribe(NATSSubject("s")) { _, _ in }
        try scene.connect(
            info: "INFO {\"max_payload\":9,\"connect_urls\":[\"\(other.address)\"]}\r\n")
        #expect(scene.client.servers.count == 2)
        scene.peer?.close()
        scene.settle()
        #expect(scene.events.last == "lost: the peer closed")
        #expect(scene.waits[0] >= .milliseconds(50) && scene.waits[0] <= .milliseconds(100))
        scene.driven.tick(after: scene.waits[0])
        scene.settle()
        #expect(scene.listener.accept() == nil)
        let accepted = try #require(other.accept())
        scene.peer = accepted
        scene.send(#"INFO {"server_name":"two","max_payload":9}"# + "\r\n")
        #expect(scene.sent().hasSuffix("PING\r\nSUB s 1\r\n"))
        scene.send("PONG\r\n")
        #expect(scene.events.last == "connected two")
        // An INFO may come at any time.
        scene.send(#"INFO {"server_name":"two","max_payload":5}"# + "\r\n")
        #expect(scene.client.serverInfo?.maxPayloadBytes == 5)
        scene.peer?.close()
        scene.settle()
        #expect(scene.waits[1] >= .milliseconds(100) && scene.waits[1] <= .milliseconds(200))
        scene.driven.tick(after: scene.waits[1])
        try scene.accept()
        #expect(scene.client.statistics.connections == 2)
        #expect(scene.client.statistics.lostConnections == 2)
        scene.end()
    }

    @Test("Signs the nonce of a server that demands an NKEY")
    func nkey() throws {
        let key = try NATSKey(seed: "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY")
        let scene = try ClientScene { $0.credentials = .key(key) }
        let greeting = try scene.connect(info: #"INFO {"max_payload":9,"nonce":"abc"}"# + "\r\n")
        #expect(greeting.contains("\"nkey\":\"\(key.publicKey)\""))
        #expect(try greeting.contains("\"sig\":\"\(key.signature(of: "abc"))\""))
        scene.end()
    }

    @Test("A configuration without a server, or with a name and no lookup, is an error")
    func configuration() throws {
        #expect(throws: NATSConfigurationError.self) { try ClientScene { $0.servers = [] } }
        let error = #expect(throws: NATSConfigurationError.self) {
            try ClientScene { $0.servers = try NATSURL(parsing: "nats://a").servers }
        }
        #expect(error?.description.contains("a:4222 has to be looked up") == true)
        let scene = try ClientScene()
        let error2 = #expect(throws: NATSConfigurationError.self) {
            try scene.client.subscribe(NATSSubject("a"), queueGroup: "x y") { _, _ in }
        }
        #expect(error2?.description.contains("blank") == true)
    }

    @Test("Reads nothing while reading is paused, and all of it afterwards")
    func pausing() throws {
        let scene = try ClientScene()
        var received = 0
        try scene.client.subscribe(NATSSubject("a")) { _, _ in received += 1 }
        try scene.connect()
        scene.client.pauseReading()
        scene.send("MSG a 1 0\r\n\r\nMSG a 1 0\r\n\r\n")
        #expect(received == 0)
        scene.client.resumeReading()
        scene.settle()
        #expect(received == 2)
        scene.end()
    }

    @Test("Ends with its loop")
    func loopEnd() throws {
        let scene = try ClientScene()
        try scene.connect()
        scene.driven.loop.stop()
        scene.driven.loop.run()
        #expect(scene.events.last == "stopped" && !scene.client.isConnected)
    }
}
