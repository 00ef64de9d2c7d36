import Glibc
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import ChatServerKit

/// Both ends of all sockets are in this process: more descriptors than many shells allow at first.
private func allowDescriptors(_ count: UInt64) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
        limit.rlim_cur < count
    else { return }
    limit.rlim_cur = min(limit.rlim_max, rlim_t(count))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

@Suite(.serialized, .timeLimit(.minutes(3))) struct FanOutTests {
    @Test func aThousandSessionsHearEveryMessageOfTenOnceAndInOrder() async throws {
        allowDescriptors(4096)
        try await withChat(ioThreads: 3) { chat in
            let crowd = try ClientCrowd()
            await crowd.add(1000, to: chat.address)
            await chat.holds(1000)
            crowd.speak(senders: 10, 0..<20)
            let expected = 10 * 20 * 999
            await crowd.hears(expected)
            #expect(crowd.heard == expected)
            #expect(crowd.problems == [])
            await crowd.stop()
        }
    }

    @Test func receiversThatNeverReadCostOthersNothingAndHaveABound() async throws {
        allowDescriptors(4096)
        let queue = 16 << 10
        try await withChat(ioThreads: 3) { configuration in
            configuration.limits.queueBytes = queue
            configuration.tcp.connection.highWaterMarkBytes = 16 << 10
            configuration.tcp.connection.lowWaterMarkBytes = 4 << 10
            configuration.tcp.connection.kernelSendBufferBytes = 8 << 10
        } _: { chat in
            let crowd = try ClientCrowd()
            await crowd.add(950, to: chat.address)
            await chat.holds(950)
            var deaf: [ChatPeer] = []
            for _ in 0..<50 { deaf.append(try ChatPeer(chat.address)) }
            await chat.holds(1000)

            let (senders, count) = (10, 30)
            // No more at once than the queue of a reader holds that is late.
            for number in 0..<count {
                crowd.speak(senders: senders, number..<(number + 1), textBytes: 1000)
                await crowd.hears(senders * (number + 1) * 949)
            }
            let expected = senders * count * 949
            #expect(crowd.heard == expected)
            #expect(crowd.problems == [])

            // Each of them has lost the oldest of what did not fit, and is told how many.
            let statistics = chat.server.statistics
            #expect(statistics.queuedBytes <= 50 * queue)
            // The mark may be passed by one batch.
            #expect(statistics.bufferedBytes <= 50 * (16 + 128) << 10)
            #expect(statistics.droppedMessages > 0)
            var lost = 0
            for peer in deaf { lost += try await missed(by: peer, of: senders, count, chat) }
            #expect(lost == chat.server.statistics.droppedMessages)
            await crowd.stop()
        }
    }

    /// Reads all that waits for a client: how many messages it was told that it missed. Those it
    /// got are in order, and with the missing ones they are all.
    private func missed(
        by peer: ChatPeer, of senders: Int, _ count: Int, _ chat: RunningChat
    ) async throws -> Int {
        var next = [Int](repeating: 0, count: senders)
        var (got, missed) = (0, 0)
        while got + missed < senders * count, let text = peer.hear() {
            let words = text.split(separator: " ")
            if words.count == 3, words[1...] == ["messages", "dropped"] {
                missed += Int(words[0]) ?? 0
                continue
            }
            let sender = try #require(Int(words[2]))
            let number = try #require(Int(words[3]))
            #expect(number >= next[sender])
            next[sender] = number + 1
            got += 1
        }
        #expect(got + missed == senders * count)
        // The oldest were dropped, so the newest of all is there.
        #expect(next.contains(count))
        return missed
    }

    @Test func aReceiverThatNeverReadsIsDisconnectedIfSoConfigured() async throws {
        try await withChat { configuration in
            configuration.limits.slowReceiver = .disconnect
            configuration.limits.queueBytes = 64 << 10
            configuration.tcp.connection.highWaterMarkBytes = 64 << 10
            configuration.tcp.connection.lowWaterMarkBytes = 16 << 10
            configuration.tcp.connection.kernelSendBufferBytes = 16 << 10
        } _: { chat in
            let peers = try await chat.join(2)
            let deaf = try await chat.join()
            let text = String(repeating: "x", count: 10_000)
            for number in 0..<400 {
                peers[0].say("\(number)" + text)
                #expect(peers[1].hear()?.hasPrefix("from: client1: \(number)x") == true)
                if chat.server.sessionCount == 2 { break }
            }
            await chat.holds(2)
            #expect(deaf.seesEnd())
            peers[0].say("on we go")
            while let text = peers[1].hear(), text != "from: client1: on we go" {}
        }
    }

    @Test func sessionsComeAndGoWhileMessagesGoOut() async throws {
        allowDescriptors(4096)
        try await withChat(ioThreads: 3) { chat in
            let crowd = try ClientCrowd()
            await crowd.add(20, to: chat.address)
            await chat.holds(20)
            let count = 2000
            crowd.speak(senders: 2, 0..<count)
            // Two thousand that connect, say a part of something and leave in all ways there are.
            for number in 0..<2000 {
                let peer = try ChatPeer(chat.address)
                switch number % 4 {
                case 0: peer.socket.close()
                case 1: peer.socket.finish()
                case 2:
                    peer.socket.sendAll([0, 0])
                    peer.socket.reset()
                default: _ = peer.socket.receive(limit: 100)
                }
                await Task.yield()
            }
            let expected = 2 * count * 19
            await crowd.hears(expected)
            #expect(crowd.heard == expected)
            #expect(crowd.problems == [])
            await chat.holds(20)
            await crowd.stop()
        }
    }
}
