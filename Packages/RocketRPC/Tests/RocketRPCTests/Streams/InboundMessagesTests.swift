import RocketBase
import RocketBaseTestKit
import RocketReactorTestKit
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// Received messages: each state, each event.
@Suite("Messages that wait to be read")
struct InboundMessagesTests {
    @Test("Messages are read in their order, then the end")
    func order() throws {
        let scene = try DrivenStream()
        for text in ["a", "", "c"] { #expect(try scene.receive(text) == .kept(consumed: 0)) }
        scene.inbound.end()
        #expect(["a", "", "c", "the end", "the end"].allSatisfy { scene.read().value == $0 })
    }

    @Test("A consumer that waits gets the message that arrives")
    func waits() throws {
        let scene = try DrivenStream()
        let read = scene.read()
        #expect(read.value == nil)
        try scene.receive("late")
        scene.settle()
        #expect(read.value == "late")
    }

    @Test("Parts become one message")
    func parts() throws {
        let scene = try DrivenStream()
        let bytes: [UInt8] = try Text("a longer text").serializedBytes()
        let read = scene.read()
        for byte in bytes.dropLast() {
            // The consumer waits for it, so that each part counts as consumed at once.
            #expect(scene.receive([byte], more: true) == .kept(consumed: 1))
        }
        #expect(read.value == nil)
        scene.receive(bytes.suffix(1))
        scene.settle()
        #expect(read.value == "a longer text")
    }

    @Test("Parts behind unread messages keep their credit until the consumer asks for them")
    func partsBehindMessages() throws {
        let scene = try DrivenStream()
        try scene.receive("first")
        #expect(scene.receive([1, 2, 3], more: true) == .kept(consumed: 0))
        #expect(scene.read().value == "first")
        guard case (.wait, let consumed) = scene.inbound.refill() else {
            Issue.record("there is no message")
            return
        }
        #expect(consumed == 3 + 7)
        guard case (.wait, 0) = scene.inbound.refill() else {
            Issue.record("counted twice")
            return
        }
    }

    @Test("Parts that arrive between a look and the wait are not slept through")
    func lostWakeUp() throws {
        let scene = try DrivenStream()
        guard case (.wait, 0) = scene.inbound.refill() else {
            Issue.record("there is a message")
            return
        }
        // All that the sender has credit for: no further part comes to wake the consumer.
        scene.receive([UInt8](repeating: 0, count: 1024), more: true)
        let waited = scene.task { [inbound = scene.inbound] in
            await inbound.wait()
            return "looks again"
        }
        #expect(waited.value == "looks again")
    }

    @Test("Two consumers share the messages, and neither spins nor is forgotten")
    func twoConsumers() throws {
        let scene = try DrivenStream()
        let reads = [scene.read(), scene.read(), scene.read()]
        #expect(scene.settle())
        #expect(reads.allSatisfy { $0.value == nil })
        try scene.receive("1")
        try scene.receive("2")
        scene.settle()
        #expect(reads.compactMap(\.value).sorted() == ["1", "2"])
        scene.inbound.end()
        scene.settle()
        #expect(reads.compactMap(\.value).sorted() == ["1", "2", "the end"])
    }

    @Test("The cancellation of a consumer reaches that one only")
    func cancelOne() throws {
        let scene = try DrivenStream()
        let reads = [scene.read(), scene.read()]
        reads[1].cancel()
        scene.settle()
        #expect(reads[1].value == "CANCELLED" && reads[0].value == nil)
        try scene.receive("x")
        scene.settle()
        #expect(reads[0].value == "x")
    }

    @Test("A message that arrives with a cancellation is not lost")
    func cancelWithMessage() throws {
        let scene = try DrivenStream()
        let reads = [scene.read(), scene.read()]
        try scene.receive("x")
        reads[0].cancel()
        scene.settle()
        #expect(reads[0].value == "x" && reads[1].value == nil)
        scene.inbound.end()
        scene.settle()
    }

    @Test("An error comes behind the messages before it, but for one that drops them")
    func errors() throws {
        let scene = try DrivenStream()
        try scene.receive("before")
        scene.inbound.end(RPCError(.permissionDenied, ""))
        #expect(scene.receive([0]) == .dropped)
        #expect(scene.read().value == "before")
        #expect(scene.read().value == "PERMISSION_DENIED")

        let other = try DrivenStream()
        try other.receive("dropped")
        other.inbound.end(RPCError(.unavailable, ""), dropsMessages: true)
        other.inbound.end(RPCError(.internal, ""), dropsMessages: true)
        #expect(other.read().value == "UNAVAILABLE")
    }

    @Test("A stream that ends within a message is no stream that has ended")
    func endsWithin() throws {
        let scene = try DrivenStream()
        scene.receive([1, 2], more: true)
        scene.inbound.end()
        #expect(scene.read().value == "ERROR_FAILED_DECODE")
    }

    @Test("A message that is too large is refused, whole and in parts")
    func tooLarge() throws {
        let scene = try DrivenStream(maxMessage: 10)
        #expect(scene.receive([UInt8](repeating: 0, count: 11)) == .tooLarge(11))
        #expect(scene.receive([UInt8](repeating: 0, count: 10), more: true) == .kept(consumed: 0))
        #expect(scene.receive([0]) == .tooLarge(11))
    }

    @Test("An invalid message fails its read, and the next one is read")
    func invalid() throws {
        let scene = try DrivenStream()
        scene.receive([0xFF])
        try scene.receive("valid")
        #expect(scene.read().value == "ERROR_FAILED_DESERIALIZE")
        #expect(scene.read().value == "valid")
    }

    @Test("What is read counts as consumed, each byte once", arguments: 1...10)
    func consumed(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let inbound = InboundMessages(maxMessageBytes: 1 << 20, windowBytes: 1000)
        var (received, consumed) = (0, 0)
        for _ in 0..<5000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let bytes = [UInt8](repeating: 0, count: Int.random(in: 0..<300, using: &random))
                let cost = max(1, bytes.count)
                received += cost
                if case .kept(let now) = inbound.append(
                    bytes.span.bytes, isLast: Bool.random(using: &random), cost: cost)
                {
                    consumed += now
                }
            case 1: consumed += inbound.refill(ifEmpty: ())
            default: consumed += inbound.read { _ in } ?? 0
            }
            #expect(consumed <= received)
        }
        let rest: [UInt8] = []
        _ = inbound.append(rest.span.bytes, isLast: true, cost: 0)
        while true {
            while let now = inbound.read({ _ in }) { consumed += now }
            let (step, now) = inbound.refill()
            consumed += now
            if case .wait = step { break }
        }
        #expect(consumed == received)
    }
}

extension InboundMessages {
    /// Refills the reader if it is empty, as a consumer does.
    fileprivate func refill(ifEmpty: Void) -> Int {
        if let consumed = read({ _ in }) { return consumed }
        return refill().consumed
    }
}
