import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import ChatServerKit

/// On loops driven by hand, over socket pairs: no ports, no waiting.
@Suite("ChatRoom", .ownThread) struct ChatRoomTests {
    private typealias Fixture = HandDrivenRoom

    private func texts(_ peer: RawPeer) -> [String] {
        var bytes = peer.receiveAll()[...]
        var texts: [String] = []
        while bytes.count >= 4 {
            let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            texts.append(String(decoding: bytes.dropFirst(4).prefix(length), as: UTF8.self))
            bytes = bytes.dropFirst(4 + length)
        }
        return texts
    }

    @Test("A message reaches the sessions of each loop in a tick of that loop")
    func ticks() throws {
        let fixture = try Fixture()
        let peers = [try fixture.join(0), try fixture.join(0), try fixture.join(1)]
        fixture.settle()
        #expect(fixture.room.sessionCount == 3)
        peers[0].send(ChatPeer.bytes("hi"))
        fixture.loops[0].tickUntilIdle()
        #expect(texts(peers[1]) == ["from: client1: hi"])
        #expect(texts(peers[2]) == [])
        fixture.loops[1].tickUntilIdle()
        #expect(texts(peers[2]) == ["from: client1: hi"])
        #expect(texts(peers[0]) == [])
    }

    @Test("Messages of one tick go out together, and no session receives its own")
    func oneBatch() throws {
        let fixture = try Fixture()
        let peers = [
            try fixture.join(0), try fixture.join(0), try fixture.join(0), try fixture.join(1),
        ]
        fixture.settle()
        peers[0].send(ChatPeer.bytes("a1") + ChatPeer.bytes("a2"))
        peers[1].send(ChatPeer.bytes("b1"))
        fixture.settle()
        let (a, b) = (["from: client1: a1", "from: client1: a2"], ["from: client2: b1"])
        #expect(texts(peers[0]) == b)
        #expect(texts(peers[1]) == a)
        for peer in peers[2...] {
            let received = texts(peer)
            #expect(received.sorted() == a + b)
            #expect(received.filter { $0.contains("client1") } == a)
        }
    }

    @Test("Reading from a session beyond its rate pauses, and loses no message")
    func rate() throws {
        let fixture = try Fixture {
            $0.messagesPerSecond = 100
            $0.messageBurst = 3
        }
        let peers = [try fixture.join(0), try fixture.join(0)]
        fixture.settle()
        peers[0].send((1...5).flatMap { ChatPeer.bytes("\($0)") })
        fixture.settle()
        #expect(texts(peers[1]) == (1...3).map { "from: client1: \($0)" })
        fixture.loops[0].tick(after: .milliseconds(31))
        fixture.settle()
        #expect(texts(peers[1]) == (4...5).map { "from: client1: \($0)" })
    }

    @Test("New limits apply to sessions that are open")
    func newLimits() throws {
        let fixture = try Fixture()
        let peers = [try fixture.join(0), try fixture.join(0)]
        fixture.settle()
        var limits = ChatLimits()
        limits.maxMessageBytes = 3
        fixture.room.update(limits)
        fixture.settle()
        peers[0].send(ChatPeer.bytes("abc") + ChatPeer.bytes("abcd"))
        fixture.settle()
        #expect(texts(peers[1]) == ["from: client1: abc"])
        #expect(fixture.room.sessionCount == 1)
    }

    @Test("A slow receiver gets the newest messages and the number of those dropped")
    func slowReceiver() throws {
        let fixture = try Fixture { $0.queueBytes = 30_000 }
        let peers = [try fixture.join(0), try fixture.join(0)]
        fixture.settle()
        // Far more than fits into the socket buffer and below the water mark.
        let padding = String(repeating: "x", count: 9_000)
        for number in 0..<200 {
            peers[0].sendAll(ChatPeer.bytes("\(number) " + padding))
            fixture.settle()
        }
        #expect(fixture.room.queuedBytes <= 30_000)
        let dropped = fixture.room.droppedMessages
        #expect(dropped > 0)
        var received: [String] = []
        for _ in 0..<200 {
            received += fixture.receivedTexts(peers[1])
            fixture.settle()
        }
        #expect(received.contains("\(dropped) messages dropped"))
        #expect(received.count == 200 - dropped + 1)
        #expect(received.last?.hasPrefix("from: client1: 199 ") == true)
        #expect(fixture.room.queuedBytes == 0)
    }

    @Test("A slow receiver whose queue is full to the byte stays, and leaves with the next message")
    func fullQueue() throws {
        let text = String(repeating: "x", count: 9_000)
        let size = 4 + "from: client1: ".utf8.count + text.utf8.count
        let fixture = try Fixture {
            $0.queueBytes = 2 * size
            $0.slowReceiver = .disconnect
        }
        let peers = [try fixture.join(0), try fixture.join(0)]
        fixture.settle()
        func send() {
            peers[0].sendAll(ChatPeer.bytes(text))
            fixture.settle()
        }
        for _ in 0..<1_000 where fixture.room.queuedBytes < 2 * size { send() }
        #expect(fixture.room.queuedBytes == 2 * size)
        #expect(fixture.room.sessionCount == 2)
        send()
        #expect(fixture.room.queuedBytes == 0)
        #expect(fixture.room.sessionCount == 1)
        withExtendedLifetime(peers) {}
    }

    @Test("No message waits for a receiver whose connection has taken all that was sent to it")
    func noMessageIsForgotten() throws {
        let fixture = try Fixture()
        fixture.connection.highWaterMarkBytes = 4_000
        fixture.connection.lowWaterMarkBytes = 1_000
        let peers = [try fixture.join(0), try fixture.join(1)]
        fixture.settle()
        // Eight batches for one tick of the receiver's loop. Each one passes the mark, and the
        // kernel takes it whole.
        let sent = (0..<8).map { "\($0) " + String(repeating: "x", count: 5_000) }
        for text in sent {
            peers[0].send(ChatPeer.bytes(text))
            fixture.loops[0].tickUntilIdle()
        }
        fixture.loops[1].tickUntilIdle()
        #expect(fixture.room.queuedBytes == 0)
        #expect(texts(peers[1]) == sent.map { "from: client1: " + $0 })
    }

    /// A receiver that reads nothing, with `count` messages of 9 KB for it: a part is in the kernel
    /// and in the output of its connection, the rest in its queue.
    private func stall(_ fixture: Fixture, _ sender: RawPeer, count: Int) {
        for number in 0..<count {
            sender.sendAll(ChatPeer.bytes("\(number) " + String(repeating: "x", count: 9_000)))
            fixture.settle()
        }
    }

    @Test("A new message does not overtake those that wait in the queue")
    func order() throws {
        let fixture = try Fixture()
        fixture.connection.highWaterMarkBytes = 20_000
        fixture.connection.lowWaterMarkBytes = 10_000
        let peers = [try fixture.join(0), try fixture.join(0)]
        fixture.settle()
        stall(fixture, peers[0], count: 60)
        #expect(fixture.room.queuedBytes > 0)
        // Now each message comes in the tick in which the receiver makes room for others.
        var received: [String] = []
        for number in 60..<180 {
            received += fixture.receivedTexts(peers[1])
            peers[0].sendAll(ChatPeer.bytes("\(number) " + String(repeating: "x", count: 9_000)))
            fixture.loops[0].tick()
        }
        while received.count < 180 {
            let more = fixture.receivedTexts(peers[1])
            fixture.settle()
            if more.isEmpty { break }
            received += more
        }
        #expect(received.map { $0.split(separator: " ")[2] } == (0..<180).map { "\($0)" })
    }

    @Test("A receiver that reads nothing is kept for the write time-out, and without one for ever")
    func writeTimeout() throws {
        for limit in [Duration.seconds(60), nil] {
            let fixture = try Fixture { $0.queueBytes = 30_000 }
            fixture.connection.writeTimeout = limit
            let peers = [try fixture.join(0), try fixture.join(0)]
            fixture.settle()
            stall(fixture, peers[0], count: 60)
            // Others go on to speak: its oldest messages are dropped meanwhile.
            let dropped = fixture.room.droppedMessages
            for second in 0..<59 {
                fixture.loops[0].tick(after: .seconds(1))
                peers[0].sendAll(
                    ChatPeer.bytes("\(second) " + String(repeating: "x", count: 9_000)))
                fixture.settle()
            }
            #expect(fixture.room.sessionCount == 2)
            #expect(fixture.room.droppedMessages == dropped + 59)
            fixture.loops[0].tick(after: .seconds(3600))
            fixture.settle()
            #expect(fixture.room.sessionCount == (limit == nil ? 2 : 1))
        }
    }

    @Test("A session that leaves takes its queue off the count, however it leaves")
    func queueOfALeaver() throws {
        let leave: [(RawPeer) -> Void] = [{ $0.close() }, { $0.reset() }, { $0.finish() }]
        for leave in leave {
            let fixture = try Fixture()
            let peers = [try fixture.join(0), try fixture.join(0)]
            fixture.settle()
            stall(fixture, peers[0], count: 100)
            #expect(fixture.room.queuedBytes > 0)
            leave(peers[1])
            // A process that another test starts holds a copy of the socket until its exec.
            while fixture.room.sessionCount > 1 {
                _ = peers[1].receiveAll()
                fixture.settle()
                fixture.loops[0].tick(after: .milliseconds(100))
            }
            #expect(fixture.room.queuedBytes == 0)
        }
    }

    @Test(
        "After others have left and joined, each session receives all messages but its own",
        arguments: 0..<3, 0..<4)
    func identities(first: Int, second: Int) throws {
        let fixture = try Fixture()
        var peers = try (0..<3).map { _ in try fixture.join(0) }
        var names = ["client1", "client2", "client3"]
        fixture.settle()
        func leave(_ index: Int) {
            peers.remove(at: index).close()
            names.remove(at: index)
            fixture.settle()
        }
        leave(first)
        for name in ["client4", "client5"] {
            peers.append(try fixture.join(0))
            names.append(name)
        }
        fixture.settle()
        for isLast in [false, true] {
            // Twice: all in one tick, then one after the other.
            for peer in peers { peer.send(ChatPeer.bytes("hi")) }
            fixture.settle()
            for (peer, name) in zip(peers, names) {
                let others = names.filter { $0 != name }
                #expect(texts(peer).sorted() == others.map { "from: \($0): hi" })
            }
            for (speaker, name) in zip(peers, names) {
                speaker.send(ChatPeer.bytes("me"))
                fixture.settle()
                for peer in peers {
                    #expect(texts(peer) == (peer === speaker ? [] : ["from: \(name): me"]))
                }
            }
            if !isLast { leave(second) }
        }
    }

    @Test("A drained server sends what was received before, then closes all sessions")
    func draining() async throws {
        var configuration = ChatServerConfiguration(listen: [.loopback(port: 0)])
        configuration.ioThreads = 2
        let server = ChatServer(configuration: configuration)
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        let chat = RunningChat(server: server, address: address)
        let peers = try await chat.join(2)
        peers[0].send("before")
        #expect(peers[1].receive() == "from: client1: before")
        server.beginDrain()
        #expect(peers[1].receive() == nil)
        peers[0].readToEnd()
        try await running.value
        #expect(server.statistics == ChatStatistics())
    }
}
