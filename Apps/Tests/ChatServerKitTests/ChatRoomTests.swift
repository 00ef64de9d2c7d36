import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import ChatServerKit

/// A room on loops that the test drives by hand, over socket pairs: no ports, no waiting.
@Suite struct ChatRoomTests {
    /// Two loops, and the room on both.
    private final class Scene {
        let loops: [HandDrivenLoop]
        let room: ChatRoom
        private var count: UInt64 = 0
        private var rest: [UInt8] = []

        init(_ change: (inout ChatLimits) -> Void = { _ in }) throws {
            loops = [try HandDrivenLoop(), try HandDrivenLoop()]
            var limits = ChatLimits()
            change(&limits)
            room = ChatRoom(loops: loops.map(\.loop), limits: limits, time: loops[0].clock)
        }

        /// One more client on that loop: its socket's other end.
        func join(_ loop: Int) throws -> RawPeer {
            count += 1
            let number = count
            var far: RawPeer?
            let reactor = loops[loop].reactor
            try FileDescriptor.socketPair().take { near, other in
                TCPConnection.adopt(
                    near, on: reactor, number: number, handler: room.makeSession(on: reactor))
                far = RawPeer(other)
            }
            return try #require(far)
        }

        func settle() {
            for _ in 0..<3 { for loop in loops { loop.tickUntilIdle(limit: 100) } }
        }

        /// What is there now; the rest of a message that is not whole yet is kept.
        func wholeTexts(_ peer: RawPeer) -> [String] {
            rest += peer.receiveAll()
            var offset = 0
            var texts: [String] = []
            while rest.count >= offset + 4 {
                let length = rest[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
                let end = offset + 4 + length
                if rest.count < end { break }
                texts.append(String(decoding: rest[(offset + 4)..<end], as: UTF8.self))
                offset = end
            }
            rest.removeFirst(offset)
            return texts
        }
    }

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

    @Test func aMessageReachesEachLoopInThatLoopsOwnTick() throws {
        let scene = try Scene()
        let peers = [try scene.join(0), try scene.join(0), try scene.join(1)]
        scene.settle()
        #expect(scene.room.sessionCount == 3)
        peers[0].send(ChatPeer.bytes("hi"))
        scene.loops[0].tickUntilIdle()
        #expect(texts(peers[1]) == ["from: client1: hi"])
        #expect(texts(peers[2]) == [])
        scene.loops[1].tickUntilIdle()
        #expect(texts(peers[2]) == ["from: client1: hi"])
        #expect(texts(peers[0]) == [])
    }

    @Test func whatIsSaidInOneTickGoesOutTogetherAndNobodyHearsHimself() throws {
        let scene = try Scene()
        let peers = [try scene.join(0), try scene.join(0), try scene.join(0), try scene.join(1)]
        scene.settle()
        peers[0].send(ChatPeer.bytes("a1") + ChatPeer.bytes("a2"))
        peers[1].send(ChatPeer.bytes("b1"))
        scene.settle()
        let (a, b) = (["from: client1: a1", "from: client1: a2"], ["from: client2: b1"])
        #expect(texts(peers[0]) == b)
        #expect(texts(peers[1]) == a)
        for peer in peers[2...] {
            let heard = texts(peer)
            #expect(heard.sorted() == a + b)
            #expect(heard.filter { $0.contains("client1") } == a)
        }
    }

    @Test func aSessionBeyondItsRateIsHeldUpAndLosesNothing() throws {
        let scene = try Scene {
            $0.messagesPerSecond = 100
            $0.messageBurst = 3
        }
        let peers = [try scene.join(0), try scene.join(0)]
        scene.settle()
        peers[0].send((1...5).flatMap { ChatPeer.bytes("\($0)") })
        scene.settle()
        #expect(texts(peers[1]) == (1...3).map { "from: client1: \($0)" })
        scene.loops[0].tick(after: .milliseconds(31))
        scene.settle()
        #expect(texts(peers[1]) == (4...5).map { "from: client1: \($0)" })
    }

    @Test func newLimitsHoldAtOnce() throws {
        let scene = try Scene()
        let peers = [try scene.join(0), try scene.join(0)]
        scene.settle()
        var limits = ChatLimits()
        limits.maxMessageBytes = 3
        scene.room.update(limits)
        scene.settle()
        peers[0].send(ChatPeer.bytes("abc") + ChatPeer.bytes("abcd"))
        scene.settle()
        #expect(texts(peers[1]) == ["from: client1: abc"])
        #expect(scene.room.sessionCount == 1)
    }

    @Test func aSlowReceiverKeepsTheNewestAndIsToldOfTheRest() throws {
        let scene = try Scene { $0.queueBytes = 30_000 }
        let peers = [try scene.join(0), try scene.join(0)]
        scene.settle()
        // Far more than the socket and the water mark hold.
        let padding = String(repeating: "x", count: 9_000)
        for number in 0..<200 {
            peers[0].sendAll(ChatPeer.bytes("\(number) " + padding))
            scene.settle()
        }
        #expect(scene.room.queuedBytes <= 30_000)
        let dropped = scene.room.droppedMessages
        #expect(dropped > 0)
        var heard: [String] = []
        for _ in 0..<200 {
            heard += scene.wholeTexts(peers[1])
            scene.settle()
        }
        #expect(heard.contains("\(dropped) messages dropped"))
        #expect(heard.count == 200 - dropped + 1)
        #expect(heard.last?.hasPrefix("from: client1: 199 ") == true)
        #expect(scene.room.queuedBytes == 0)
    }

    @Test func aClosedRoomSendsOutWhatWasSaidAndListensNoMore() async throws {
        var configuration = ChatServerConfiguration(listen: [.loopback(port: 0)])
        configuration.ioThreads = 2
        let server = ChatServer(configuration: configuration)
        async let running: Void = server.run()
        let address = try #require(await server.boundAddresses.first)
        let chat = RunningChat(server: server, address: address)
        let peers = try await chat.join(2)
        peers[0].say("before")
        #expect(peers[1].hear() == "from: client1: before")
        server.beginDrain()
        #expect(peers[1].hear() == nil)
        #expect(peers[0].seesEnd())
        try await running
        #expect(server.statistics == ChatStatistics())
    }
}
