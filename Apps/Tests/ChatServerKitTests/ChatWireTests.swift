import RocketTCPTestKit
import RocketReactorTestKit
import Testing

@testable import ChatServerKit

@Suite("Chat wire format", .ownThread) struct ChatWireTests {
    @Test("Sends each message to all other sessions, not back to its sender")
    func broadcast() async throws {
        try await withChat { chat in
            let peers = try await chat.join(3)
            peers[0].send("hello")
            #expect(peers[1].receive() == "from: client1: hello")
            #expect(peers[2].receive() == "from: client1: hello")
            peers[1].send("grüß dich, 世界 👋")
            #expect(peers[0].receive() == "from: client2: grüß dich, 世界 👋")
            #expect(peers[2].receive() == "from: client2: grüß dich, 世界 👋")
        }
    }

    @Test("Sends the bytes that LibeventMiniChat would send")
    func originalBytes() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll([0, 0, 0, 2, 0x68, 0x69])
            let text = Array("from: client1: hi".utf8)
            #expect(peers[1].socket.receive(exactly: 21) == [0, 0, 0, 17] + text)
        }
    }

    @Test("Names follow the order of connecting on any number of loops")
    func names() async throws {
        try await withChat(ioThreads: 4) { chat in
            let peers = try await chat.join(20)
            for index in peers.indices.dropFirst() {
                peers[index].send("me")
                #expect(peers[0].receive() == "from: client\(index + 1): me")
            }
        }
    }

    @Test("A length of zero is an empty text")
    func emptyText() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll(ChatPeer.length(0))
            #expect(peers[1].receive() == "from: client1: ")
        }
    }

    @Test("Broadcasts the longest message, and disconnects a client whose length is larger")
    func longestMessage() async throws {
        try await withChat({ $0.limits.maxMessageBytes = 100 }) { chat in
            let peers = try await chat.join(3)
            let longest = String(repeating: "x", count: 100)
            peers[0].send(longest)
            #expect(peers[1].receive() == "from: client1: " + longest)
            for length in [101, 1 << 31, UInt32.max] as [UInt32] {
                let bad = try await chat.join()
                bad.socket.sendAll(ChatPeer.length(length))
                bad.readToEnd()
                // Or the next join might be satisfied by this session.
                await chat.waitForSessions(3)
            }
            peers[0].send("next")
            #expect(peers[1].receive() == "from: client1: next")
        }
    }

    @Test("Broadcasts messages that precede an invalid length")
    func invalidLength() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll(ChatPeer.bytes("valid") + ChatPeer.length(.max))
            #expect(peers[1].receive() == "from: client1: valid")
            peers[0].readToEnd()
        }
    }

    @Test("Assembles a message received byte by byte")
    func byteByByte() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            for byte in ChatPeer.bytes("Stück für Stück") {
                peers[0].socket.sendAll([byte])
                await Task.yield()
            }
            #expect(peers[1].receive() == "from: client1: Stück für Stück")
        }
    }

    @Test("Delivers a thousand messages of one write in order")
    func manyMessages() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll((0..<1000).flatMap { ChatPeer.bytes("m\($0)") })
            #expect(peers[1].receive(1000) == (0..<1000).map { "from: client1: m\($0)" })
        }
    }

    @Test("A client that disconnects within a message affects no other session")
    func disconnectWithinMessage() async throws {
        try await withChat { chat in
            let peers = try await chat.join(3)
            peers[0].socket.sendAll(ChatPeer.length(10) + Array("half".utf8))
            peers[0].socket.reset()
            await chat.waitForSessions(2)
            peers[1].send("next")
            #expect(peers[2].receive() == "from: client2: next")
        }
    }

    @Test("A client that ends its stream leaves after its last message")
    func endOfStream() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].send("bye")
            peers[0].socket.finish()
            #expect(peers[1].receive() == "from: client1: bye")
            peers[0].readToEnd()
            await chat.waitForSessions(1)
        }
    }

    @Test("Refuses a text that is not UTF-8, and notifies its sender")
    func invalidUTF8() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll(ChatPeer.bytes([0x61, 0xFF, 0x62]))
            #expect(peers[0].receive() == "message refused: invalid UTF-8 at byte 1")
            peers[0].send("better")
            #expect(peers[1].receive() == "from: client1: better")
        }
    }
}
