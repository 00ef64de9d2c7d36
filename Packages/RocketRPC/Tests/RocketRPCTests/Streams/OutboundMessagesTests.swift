import RocketBase
import RocketBaseTestKit
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// Messages to be sent: each state, each event.
@Suite("Messages that wait to be sent")
struct OutboundMessagesTests {
    let text = String(repeating: "x", count: 98)  // 100 bytes, serialized.

    @Test("A writer waits until there is credit")
    func waitsForCredit() throws {
        let scene = try DrivenStream()
        let write = scene.write("a")
        #expect(write.value == nil && scene.take() == nil)
        #expect(!scene.outbound.raiseLimit(to: 0))
        scene.settle()
        #expect(write.value == nil)
        // There is nothing to send before the writer has run.
        #expect(!scene.outbound.raiseLimit(to: 1))
        scene.settle()
        #expect(write.value == "written")
        #expect(scene.take()?.bytes.count == 1 && scene.take() == nil)
        #expect(scene.outbound.raiseLimit(to: 3))
        #expect(scene.take().map { $0.bytes.count == 2 && $0.isLast } == true)
    }

    @Test("Exactly the credit is sent, in parts of at most the limit")
    func exactly() throws {
        let scene = try DrivenStream(limit: 70)
        #expect(scene.write(text).value == "written")
        #expect(scene.take(atMost: 0) == nil)
        #expect(scene.take(atMost: 64).map { $0.bytes.count == 64 && !$0.isLast } == true)
        #expect(scene.take(atMost: 64).map { $0.bytes.count == 6 && !$0.isLast } == true)
        #expect(scene.take() == nil && scene.outbound.hasSent)
        #expect(!scene.outbound.raiseLimit(to: 69) && scene.outbound.raiseLimit(to: .max))
        #expect(scene.take().map { $0.bytes.count == 30 && $0.isLast } == true)
    }

    @Test("An empty message counts as one byte")
    func empty() throws {
        let scene = try DrivenStream(limit: 2)
        let writes = [scene.write(""), scene.write(""), scene.write("")]
        #expect(writes.map(\.value) == ["written", "written", nil])
        #expect(scene.take().map { $0.bytes.isEmpty && $0.isLast } == true)
        #expect(scene.take() != nil && scene.take() == nil)
        _ = scene.outbound.raiseLimit(to: 3)
        scene.settle()
        #expect(writes[2].value == "written" && scene.take() != nil)
    }

    @Test("Writers wait while 64 KiB wait to be sent, whatever the credit")
    func buffer() throws {
        let scene = try DrivenStream(limit: .max)
        var written = 0
        while written < 10_000, scene.write(text).value != nil { written += 1 }
        #expect(written == (64 << 10) / 104 + 1)
        #expect(scene.outbound.heldBytes < (64 << 10) + 104)
    }

    @Test("All writers that wait go on in their order when there is room")
    func manyWriters() throws {
        let scene = try DrivenStream()
        let writes = (0..<20).map { scene.write("\($0)") }
        _ = scene.outbound.raiseLimit(to: 1000)
        scene.settle()
        #expect(writes.allSatisfy { $0.value == "written" })
        for number in 0..<20 {
            let bytes: [UInt8] = try Text("\(number)").serializedBytes()
            #expect(scene.take()?.bytes == bytes)
        }
    }

    @Test("A writer whose message can't be sent does not keep the next one waiting")
    func failingWriter() throws {
        let scene = try DrivenStream(maxMessage: 50)
        let (tooLarge, next) = (scene.write(text), scene.write("next"))
        _ = scene.outbound.raiseLimit(to: 1000)
        scene.settle()
        #expect(tooLarge.value == "RESOURCE_EXHAUSTED" && next.value == "written")
        #expect(scene.take() != nil && scene.take() == nil)
    }

    @Test("A writer that is cancelled does not keep the next one waiting")
    func cancelledWriter() throws {
        let scene = try DrivenStream()
        let writes = (0..<3).map { scene.write("\($0)") }
        writes[1].cancel()
        scene.settle()
        #expect(writes.map(\.value) == [nil, "CANCELLED", nil])
        // Resumed by the credit and cancelled before it runs.
        _ = scene.outbound.raiseLimit(to: 3)
        writes[0].cancel()
        scene.settle()
        #expect(writes[0].value == "written" && writes[2].value == nil)
        _ = scene.outbound.raiseLimit(to: 4)
        scene.settle()
        #expect(writes[2].value == "written")
    }

    @Test("After the end of the stream writing fails, also for writers that wait")
    func finished() throws {
        let scene = try DrivenStream(limit: 3, sendsEnd: true)
        #expect(scene.write("a").value == "written")
        let waiting = [scene.write("b"), scene.write("c")]
        scene.outbound.finish()
        scene.settle()
        #expect(waiting.allSatisfy { $0.value == "FAILED_PRECONDITION" })
        #expect(scene.write("d").value == "FAILED_PRECONDITION")
        #expect(!scene.takeEnd())
        #expect(scene.takeEnd())
        scene.outbound.finish()
        #expect(!scene.takeEnd(), "the end is sent once")
    }

    @Test("The end is not sent to a peer that has given no credit")
    func endWithoutCredit() throws {
        let scene = try DrivenStream(sendsEnd: true)
        scene.outbound.finish()
        #expect(!scene.takeEnd())
        #expect(scene.outbound.raiseLimit(to: 1), "there is an end to send")
        #expect(scene.takeEnd())
        #expect(!scene.outbound.hasSent)
    }

    @Test("A server sends no end")
    func serverEnd() throws {
        let scene = try DrivenStream(limit: 10)
        scene.outbound.finish()
        #expect(!scene.takeEnd())
    }

    @Test("A call that is sent again begins with the credit of its new connection, and ends again")
    func restart() throws {
        let scene = try DrivenStream(limit: 1000, sendsEnd: true)
        scene.outbound.finish()
        #expect(scene.takeEnd())
        scene.outbound.restart(limit: 0)
        #expect(!scene.takeEnd())
        #expect(scene.outbound.raiseLimit(to: 5))
        #expect(scene.takeEnd())
    }

    @Test("What was written before a call is sent again waits for the credit of the new connection")
    func restartWithMessages() throws {
        let scene = try DrivenStream(limit: 1000)
        #expect(scene.write("a").value == "written")
        scene.outbound.restart(limit: 0)
        #expect(scene.take() == nil)
        let second = scene.write("b")
        #expect(second.value == nil)
        _ = scene.outbound.raiseLimit(to: 100)
        scene.settle()
        #expect(second.value == "written" && scene.take() != nil && scene.take() != nil)
    }

    @Test("An error ends all that waits, and only the first one counts")
    func error() throws {
        let scene = try DrivenStream(limit: 4)
        #expect(scene.write("ab").value == "written")
        let write = scene.write("c")
        let sent = scene.task { [outbound = scene.outbound] in
            try await outbound.waitUntilSent()
            return "sent"
        }
        scene.outbound.end(RPCError(.unavailable, ""))
        scene.outbound.end(RPCError(.internal, ""))
        scene.settle()
        #expect(write.value == "UNAVAILABLE" && sent.value == "UNAVAILABLE")
        #expect(scene.outbound.heldBytes == 0 && scene.take() == nil && !scene.takeEnd())
    }

    @Test("A task waits until all messages have been sent")
    func allSent() throws {
        let scene = try DrivenStream(limit: 100)
        #expect(scene.write("a").value == "written" && scene.write("b").value == "written")
        let sent = scene.task { [outbound = scene.outbound] in
            try await outbound.waitUntilSent()
            return "sent"
        }
        _ = scene.take()
        scene.settle()
        #expect(sent.value == nil)
        _ = scene.take()
        scene.settle()
        #expect(sent.value == "sent")
    }

    @Test("Whatever happens, messages leave in the order of their writes", arguments: 1...10)
    func anyOrder(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let scene = try DrivenStream()
        var (limit, written, sent): (UInt64, Int, [UInt8]) = (0, 0, [])
        var writes: [DrivenStream.Outcome] = []
        for _ in 0..<300 {
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                writes.append(scene.write("\(written)"))
                written += 1
            case 1:
                limit += UInt64.random(in: 0...9, using: &random)
                _ = scene.outbound.raiseLimit(to: limit)
                scene.settle()
            default: sent += scene.take(atMost: Int.random(in: 1...5, using: &random))?.bytes ?? []
            }
            #expect(sent.count <= Int(limit))
        }
        _ = scene.outbound.raiseLimit(to: .max)
        scene.settle()
        while let part = scene.take() {
            sent += part.bytes
            scene.settle()
        }
        #expect(writes.allSatisfy { $0.value == "written" })
        let expected = try (0..<written).flatMap { number -> [UInt8] in
            try Text("\(number)").serializedBytes()
        }
        #expect(sent == expected)
    }
}
