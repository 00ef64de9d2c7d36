import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Synchronization
import Testing

@testable import ChatServerKit

/// When a room takes no messages: above a rate, while another loop has too much to deliver, and
/// once it closes. Also what it logs, and that it survives any bytes.
@Suite("ChatRoom pauses and ends") struct ChatRoomPauseTests {
    @Test("While a loop has much to deliver, other loops stop reading, and resume afterwards")
    func overload() throws {
        let room = try HandDrivenRoom {
            $0.messagesPerSecond = 0
            $0.queueBytes = 1 << 30
        }
        let speaker = try room.join(0)
        let receiver = try room.join(1)
        room.settle()
        let message = ChatPeer.bytes(String(repeating: "x", count: 60_000))
        let total = 500 * message.count
        var sent = 0
        /// Sends until the socket is full and the loop reads no more.
        func speak() {
            while sent < total {
                let offset = sent % message.count
                guard let count = speaker.send(Array(message[offset...])), count > 0 else { break }
                sent += count
            }
        }
        var before = -1
        while sent > before {
            before = sent
            speak()
            room.loops[0].tickUntilIdle()
        }
        #expect(sent < total)
        // Twice the limit and more passes, so what was delivered does not count for ever.
        var received = 0
        var idleRounds = 0
        while idleRounds < 10 {
            room.loops[1].tickUntilIdle()
            let more = receiver.receiveAll().count
            received += more
            room.loops[0].tick(after: .milliseconds(3))
            speak()
            idleRounds = more == 0 ? idleRounds + 1 : 0
        }
        #expect(received == 500 * (message.count + "from: client1: ".utf8.count))
    }

    @Test("A higher rate applies at once to a session that waits")
    func newRate() throws {
        let room = try HandDrivenRoom {
            $0.messagesPerSecond = 1
            $0.messageBurst = 3
        }
        let peers = [try room.join(0), try room.join(0)]
        room.settle()
        peers[0].send((1...5).flatMap { ChatPeer.bytes("\($0)") })
        room.settle()
        #expect(room.receivedTexts(peers[1]).count == 3)
        room.room.update(ChatLimits())
        room.settle()
        // The bucket does not fill by a change. 50 ms is a wait at the new rate, not the old one.
        room.loops[0].tick(after: .milliseconds(51))
        room.settle()
        #expect(room.receivedTexts(peers[1]) == (4...5).map { "from: client1: \($0)" })
    }

    /// Each reading is 4 ms after the last one: every broadcast takes time, and a pause follows.
    private final class StepTime: TimeSource {
        private let clock: ManualTimeSource
        private let readings = Atomic<Int>(0)
        init(_ clock: ManualTimeSource) { self.clock = clock }
        func monotonic() -> MonotonicTime {
            let count = readings.wrappingAdd(1, ordering: .relaxed).newValue
            return clock.monotonic() + .milliseconds(4 * count)
        }
        func wall() -> WallTime { clock.wall() }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .acquiring) }
        func set() { value.store(true, ordering: .releasing) }
    }

    @Test("Closing delivers the messages that wait for the next broadcast, on all loops")
    func closing() throws {
        let room = try HandDrivenRoom(time: { StepTime($0) })
        let peers = [try room.join(0), try room.join(1)]
        room.settle()
        peers[1].send(ChatPeer.bytes("first"))
        room.settle()
        peers[1].send(ChatPeer.bytes("second"))
        room.settle()
        // The second one waits for the end of the pause.
        #expect(room.receivedTexts(peers[0]) == ["from: client2: first"])
        let isClosed = Flag()
        let third = try HandDrivenLoop()
        Task(executorPreference: third.loop) { [room = room.room] in
            await room.close()
            isClosed.set()
        }
        // The first loop closes before the second one, which has the message for it.
        for loop in room.loops {
            third.tickUntilIdle()
            loop.tickUntilIdle()
        }
        third.tickUntilIdle()
        #expect(isClosed.isSet == false)
        room.loops[0].tickUntilIdle()
        third.tickUntilIdle()
        room.loops[1].tickUntilIdle()
        third.tickUntilIdle()
        #expect(isClosed.isSet == true)
        #expect(room.receivedTexts(peers[0]) == ["from: client2: second"])
        peers[1].send(ChatPeer.bytes("late"))
        room.settle()
        #expect(room.receivedTexts(peers[0]) == [])
    }

    @Test("Refusals of a session are logged the 1st, 2nd, 4th, 8th … time")
    func refusals() throws {
        let sink = TextSink()
        var logging = LogConfiguration()
        logging.outputs = []
        let logs = try LogSystem(logging, sinks: [sink])
        let room = try HandDrivenRoom(logger: logs.app)
        let peer = try room.join(0)
        room.settle()
        peer.send((0..<100).flatMap { _ in ChatPeer.bytes([0xFF]) })
        room.settle()
        #expect(room.receivedTexts(peer).count == 100)
        logs.shutdown()
        #expect(sink.lines.withLock { $0 }.filter { $0 == "message refused" }.count == 7)
    }

    private final class TextSink: LogSink, Sendable {
        let lines = Locked<[String]>([])
        let lostLines: UInt64 = 0
        func write(_ event: borrowing LogEvent) {
            let text = event.withPart(.message) { String(decoding: $0, as: UTF8.self) }
            lines.withLock { $0.append(text) }
        }
        func endBatch() -> LogSinkNotice? { nil }
    }

    @Test("No bytes of a session end the server or reach the wrong session")
    func randomBytes() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        let room = try HandDrivenRoom { $0.maxMessageBytes = 100 }
        let (speaker, receiver) = (try room.join(0), try room.join(1))
        for _ in 0..<300 {
            let peer = try room.join(Int(random.next() % 2))
            for _ in 0..<(random.next() % 4) {
                var bytes = (0..<(random.next() % 40)).map { _ in UInt8(random.next() % 256) }
                if random.next() % 4 > 0 { bytes = ChatPeer.bytes(bytes) }
                peer.send(bytes)
                room.settle()
            }
            if random.next() % 2 == 0 { peer.finish() }
        }
        room.settle()
        _ = room.receivedTexts(receiver)
        speaker.send(ChatPeer.bytes("hi"))
        room.settle()
        #expect(room.receivedTexts(receiver) == ["from: client1: hi"], "seed \(seed)")
    }
}
