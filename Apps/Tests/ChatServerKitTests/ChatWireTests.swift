import RocketTCPTestKit
import Testing

@testable import ChatServerKit

@Suite(.timeLimit(.minutes(1))) struct ChatWireTests {
    @Test func whatOneSaysGoesToAllOthersAndNotBack() async throws {
        try await withChat { chat in
            let peers = try await chat.join(3)
            peers[0].say("hello")
            #expect(peers[1].hear() == "from: client1: hello")
            #expect(peers[2].hear() == "from: client1: hello")
            peers[1].say("grüß dich, 世界 👋")
            #expect(peers[0].hear() == "from: client2: grüß dich, 世界 👋")
            #expect(peers[2].hear() == "from: client2: grüß dich, 世界 👋")
        }
    }

    @Test func theBytesAreThoseOfTheOriginal() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll([0, 0, 0, 2, 0x68, 0x69])
            let text = Array("from: client1: hi".utf8)
            #expect(peers[1].socket.receive(exactly: 21) == [0, 0, 0, 17] + text)
        }
    }

    @Test func namesFollowTheOrderOfConnectingOnAnyNumberOfLoops() async throws {
        try await withChat(ioThreads: 4) { chat in
            let peers = try await chat.join(20)
            for index in peers.indices.dropFirst() {
                peers[index].say("me")
                #expect(peers[0].hear() == "from: client\(index + 1): me")
            }
        }
    }

    @Test func aZeroLengthIsAnEmptyText() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll(ChatPeer.length(0))
            #expect(peers[1].hear() == "from: client1: ")
        }
    }

    @Test func theLongestMessageGoesThroughAndOneByteMoreEndsTheSession() async throws {
        try await withChat({ $0.limits.maxMessageBytes = 100 }) { chat in
            let peers = try await chat.join(3)
            let longest = String(repeating: "x", count: 100)
            peers[0].say(longest)
            #expect(peers[1].hear() == "from: client1: " + longest)
            for length in [101, 1 << 31, UInt32.max] as [UInt32] {
                let bad = try await chat.join()
                bad.socket.sendAll(ChatPeer.length(length))
                #expect(bad.seesEnd())
                // The next one is counted only after this one is gone.
                await chat.holds(3)
            }
            peers[0].say("still here")
            #expect(peers[1].hear() == "from: client1: still here")
        }
    }

    @Test func whatCameBeforeABrokenLengthStillGoesOut() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll(ChatPeer.bytes("last words") + ChatPeer.length(.max))
            #expect(peers[1].hear() == "from: client1: last words")
            #expect(peers[0].seesEnd())
        }
    }

    @Test func aMessageInPiecesOfOneByteIsOneMessage() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            for byte in ChatPeer.bytes("Stück für Stück") {
                peers[0].socket.sendAll([byte])
                await Task.yield()
            }
            #expect(peers[1].hear() == "from: client1: Stück für Stück")
        }
    }

    @Test func aThousandMessagesInOneWriteAllArriveInOrder() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll((0..<1000).flatMap { ChatPeer.bytes("m\($0)") })
            #expect(peers[1].hear(1000) == (0..<1000).map { "from: client1: m\($0)" })
        }
    }

    @Test func leavingInTheMiddleOfAMessageHurtsNobody() async throws {
        try await withChat { chat in
            let peers = try await chat.join(3)
            peers[0].socket.sendAll(ChatPeer.length(10) + Array("half".utf8))
            peers[0].socket.reset()
            await chat.holds(2)
            peers[1].say("on we go")
            #expect(peers[2].hear() == "from: client2: on we go")
        }
    }

    @Test func aClientThatEndsItsSideLeavesAfterItsLastWord() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].say("bye")
            peers[0].socket.finish()
            #expect(peers[1].hear() == "from: client1: bye")
            #expect(peers[0].seesEnd())
            await chat.holds(1)
        }
    }

    @Test func aTextThatIsNoUTF8IsRefusedAndItsSenderIsTold() async throws {
        try await withChat { chat in
            let peers = try await chat.join(2)
            peers[0].socket.sendAll(ChatPeer.bytes([0x61, 0xFF, 0x62]))
            #expect(peers[0].hear() == "message refused: invalid UTF-8 at byte 1")
            peers[0].say("better")
            #expect(peers[1].hear() == "from: client1: better")
        }
    }
}
