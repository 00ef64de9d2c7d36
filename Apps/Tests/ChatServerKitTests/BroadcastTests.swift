import Glibc
import RocketReactorTestKit
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import ChatServerKit

/// Raises the limit of open descriptors: both ends of all sockets are in this process, more than many
/// shells allow by default.
private func raiseDescriptorLimit(_ count: UInt64) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
        limit.rlim_cur < count
    else { return }
    limit.rlim_cur = min(limit.rlim_max, rlim_t(count))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

@Suite("Broadcasts to many sessions", .serialized, .ownThread) struct BroadcastTests {
    @Test("A thousand sessions receive every message of ten senders once and in order")
    func thousandSessions() async throws {
        raiseDescriptorLimit(4096)
        try await withChat(ioThreads: 3) { chat in
            let fleet = try ClientFleet()
            await fleet.add(1000, to: chat.address)
            await chat.waitForSessions(1000)
            fleet.send(senders: 10, 0..<20)
            let expected = 10 * 20 * 999
            await fleet.waitForMessages(expected)
            #expect(fleet.receivedMessages == expected)
            #expect(fleet.problems == [])
            await fleet.stop()
        }
    }

    @Test("With the shipped configuration, clients that read get all that many speakers send")
    func shippedConfiguration() async throws {
        let (speakers, count) = (16, 300)
        let config = try ChatConfigurationFile.read(Self.repository + "/conf/chat.xml")
        try await withChat { configuration in
            guard let shipped = try? ChatServerConfiguration(config) else { return }
            let listen = configuration.tcp.listen
            configuration = shipped
            configuration.tcp.listen = listen
        } _: { chat in
            let fleet = try ClientFleet(allowsDrops: true)
            await fleet.add(speakers + 1, to: chat.address)
            await chat.waitForSessions(speakers + 1)
            fleet.send(senders: speakers, 0..<count, textBytes: 1000)
            // On a slow machine some may be dropped for receivers that read late. All others
            // arrive: none is left in a queue.
            let expected = speakers * count * speakers
            await fleet.waitForMessagesOrDrops(expected)
            #expect(fleet.receivedMessages + fleet.droppedMessages == expected)
            #expect(fleet.problems == [])
            #expect(chat.server.statistics.queuedBytes == 0)
            await fleet.stop()
        }
    }

    private static let repository = #filePath.split(
        separator: "/", omittingEmptySubsequences: false
    )
    .dropLast(4).joined(separator: "/")

    @Test("Receivers that never read delay no other receiver, and their queues are bounded")
    func stalledReceivers() async throws {
        raiseDescriptorLimit(4096)
        let queue = 16 << 10
        try await withChat(ioThreads: 3) { configuration in
            configuration.limits.queueBytes = queue
            configuration.tcp.connection.highWaterMarkBytes = 16 << 10
            configuration.tcp.connection.lowWaterMarkBytes = 4 << 10
            configuration.tcp.connection.kernelSendBufferBytes = 8 << 10
        } _: { chat in
            let fleet = try ClientFleet()
            await fleet.add(950, to: chat.address)
            await chat.waitForSessions(950)
            var stalled: [ChatPeer] = []
            for _ in 0..<50 { stalled.append(try ChatPeer(chat.address)) }
            await chat.waitForSessions(1000)

            let (senders, count) = (10, 30)
            // No more at once than fits into the queue of a receiver that reads late.
            for number in 0..<count {
                fleet.send(senders: senders, number..<(number + 1), textBytes: 1000)
                await fleet.waitForMessages(senders * (number + 1) * 949)
            }
            let expected = senders * count * 949
            #expect(fleet.receivedMessages == expected)
            #expect(fleet.problems == [])

            // Each stalled receiver loses the oldest messages that do not fit, and gets their number.
            let statistics = chat.server.statistics
            #expect(statistics.queuedBytes <= 50 * queue)
            // One batch may exceed the water mark.
            #expect(statistics.bufferedBytes <= 50 * (16 + 128) << 10)
            #expect(statistics.droppedMessages > 0)
            var lost = 0
            for peer in stalled {
                lost += try await droppedMessages(by: peer, of: senders, count, chat)
            }
            #expect(lost == chat.server.statistics.droppedMessages)
            await fleet.stop()
        }
    }

    /// Reads all messages for a stalled client and checks that they are in order, and that together
    /// with the dropped ones they are complete.
    ///
    /// - Returns: how many messages the server reported as dropped.
    private func droppedMessages(
        by peer: ChatPeer, of senders: Int, _ count: Int, _ chat: RunningChat
    ) async throws -> Int {
        var next = [Int](repeating: 0, count: senders)
        var (received, dropped) = (0, 0)
        while received + dropped < senders * count, let text = peer.receive() {
            let words = text.split(separator: " ")
            if words.count == 3, words[1...] == ["messages", "dropped"] {
                dropped += Int(words[0]) ?? 0
                continue
            }
            let sender = try #require(Int(words[2]))
            let number = try #require(Int(words[3]))
            #expect(number >= next[sender])
            next[sender] = number + 1
            received += 1
        }
        #expect(received + dropped == senders * count)
        // Only the oldest were dropped, so the newest message has arrived.
        #expect(next.contains(count))
        return dropped
    }

    @Test("Disconnects a receiver that never reads if slow_receiver is disconnect")
    func disconnectingStalledReceivers() async throws {
        try await withChat { configuration in
            configuration.limits.slowReceiver = .disconnect
            configuration.limits.queueBytes = 64 << 10
            configuration.tcp.connection.highWaterMarkBytes = 64 << 10
            configuration.tcp.connection.lowWaterMarkBytes = 16 << 10
            configuration.tcp.connection.kernelSendBufferBytes = 16 << 10
        } _: { chat in
            let peers = try await chat.join(2)
            let stalled = try await chat.join()
            let text = String(repeating: "x", count: 10_000)
            for number in 0..<400 {
                peers[0].send("\(number)" + text)
                #expect(peers[1].receive()?.hasPrefix("from: client1: \(number)x") == true)
                if chat.server.sessionCount == 2 { break }
            }
            await chat.waitForSessions(2)
            stalled.readToEnd()
            peers[0].send("next")
            while let text = peers[1].receive(), text != "from: client1: next" {}
        }
    }

    @Test("Queues of receivers that never read count into the memory of all connections")
    func queuesInBudget() async throws {
        let budget = ByteBudget(limitBytes: 4 << 20)
        try await withChat { configuration in
            configuration.tcp.budget = budget
            configuration.tcp.connection.highWaterMarkBytes = 64 << 10
            configuration.tcp.connection.lowWaterMarkBytes = 16 << 10
            configuration.tcp.connection.kernelSendBufferBytes = 16 << 10
        } _: { chat in
            let peers = try await chat.join(2)
            var stalled: [ChatPeer] = []
            for _ in 0..<16 { stalled.append(try await chat.join()) }
            let text = String(repeating: "x", count: 10_000)
            for number in 0..<150 where chat.server.sessionCount == 18 {
                peers[0].send("\(number)" + text)
                #expect(peers[1].receive()?.hasPrefix("from: client1: \(number)x") == true)
                let statistics = chat.server.statistics
                #expect(statistics.queuedBytes <= statistics.bufferedBytes)
                #expect(budget.heldBytes <= budget.limitBytes + budget.limitBytes / 8)
            }
            #expect(chat.server.sessionCount < 18)
            peers[0].send("next")
            while let text = peers[1].receive(), text != "from: client1: next" {}
            #expect(stalled.count == 16)
        }
    }

    @Test("Delivers every message while other sessions join and leave")
    func joiningAndLeaving() async throws {
        raiseDescriptorLimit(4096)
        try await withChat(ioThreads: 3) { chat in
            let fleet = try ClientFleet()
            await fleet.add(20, to: chat.address)
            await chat.waitForSessions(20)
            let count = 2000
            fleet.send(senders: 2, 0..<count)
            // Two thousand clients connect, some send a part of a message, and all leave: by close,
            // end of stream, reset, or when the peer object goes.
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
            await fleet.waitForMessages(expected)
            #expect(fleet.receivedMessages == expected)
            #expect(fleet.problems == [])
            await chat.waitForSessions(20)
            await fleet.stop()
        }
    }
}
