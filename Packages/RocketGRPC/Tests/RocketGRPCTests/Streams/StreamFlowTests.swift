import RocketBase
import RocketBaseTestKit
import RocketCodec
import Testing

@testable import RocketGRPC

@Suite("Messages between HTTP/2 and data frames")
struct StreamFlowTests {
    private let codec = TinyPBCodec()

    /// The messages in data frames, and their bytes in all.
    private func messages(in frames: borrowing ByteBuffer) -> (messages: [[UInt8]], rest: [UInt8]) {
        var messages: [[UInt8]] = []
        var message: [UInt8] = []
        let all = frames.copyBytes()
        var start = 0
        while start < all.count {
            let bytes = Array(all[start...])
            guard case .frame(let frame, let count)? = try? codec.step(bytes.span.bytes) else {
                break
            }
            start += count
            message += bytes[frame.payload]
            if frame.errorInfo.isEmpty {
                messages.append(message)
                message = []
            }
        }
        return (messages, message)
    }

    private func framed(_ messages: [[UInt8]]) -> [UInt8] {
        var output = StreamOutput()
        output.begin(windowBytes: 1 << 20, encoding: .identity)
        for message in messages { _ = output.append(message.span.bytes, isLast: true, nil) }
        var bytes = ByteBuffer()
        while output.sendableBytes > 0 { output.take(atMost: 777) { bytes.append($0) } }
        return bytes.copyBytes()
    }

    @Test("Whatever the pieces and the credit are, the messages are the same", arguments: 1...30)
    func random(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let messages = (0..<20).map { _ -> [UInt8] in
            let count = [0, 1, 5, 100, 70_000].randomElement(using: &random) ?? 0
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        let bytes = framed(messages)
        var input = StreamInput(maxMessageBytes: 1 << 20, limit: 0, encoding: .identity)
        let sink = StreamInput.Sink(frames: FrameWriter(codec: codec), compressor: nil)
        var connection = StreamCredit(limit: 1 << 30)
        var frames = ByteBuffer()
        var (start, taken, limit) = (0, 0, UInt64(0))
        let id: [UInt8] = [0x37]
        var isEnded = false
        while !isEnded {
            if start < bytes.count, Bool.random(using: &random) {
                let end = min(bytes.count, start + Int.random(in: 1...20_000, using: &random))
                let piece = Array(bytes[start..<end])
                taken += try input.receive(
                    piece.span.bytes, id.span.bytes, sink, &connection, into: &frames)
                start = end
                if start == bytes.count { input.end() }
            } else {
                limit += UInt64.random(in: 0...30_000, using: &random)
                input.raise(to: limit)
                taken += try input.resume(id.span.bytes, sink, &connection, into: &frames)
            }
            #expect(input.credit.spent <= limit)
            #expect(taken + input.heldBytes == start)
            isEnded = try input.takeEnd()
        }
        #expect(taken == bytes.count)
        let found = self.messages(in: frames)
        #expect(found.messages == messages && found.rest.isEmpty)
    }

    @Test("Without credit nothing is passed on, an empty message neither")
    func noCredit() throws {
        var input = StreamInput(maxMessageBytes: 10, limit: 0, encoding: .identity)
        let sink = StreamInput.Sink(frames: FrameWriter(codec: codec), compressor: nil)
        var connection = StreamCredit(limit: 1)
        var frames = ByteBuffer()
        let bytes = framed([[], [7]])
        let id: [UInt8] = [0x37]
        let first = try input.receive(
            bytes.span.bytes, id.span.bytes, sink, &connection, into: &frames)
        #expect(first == 5)
        #expect(frames.isEmpty == true)
        input.raise(to: 100)
        let second = try input.resume(id.span.bytes, sink, &connection, into: &frames)
        // The connection's credit is used up by the empty message.
        #expect(second == 5)
        #expect(messages(in: frames).messages == [[]])
        connection.raise(to: 2)
        _ = try input.resume(id.span.bytes, sink, &connection, into: &frames)
        #expect(messages(in: frames).messages == [[], [7]])
    }

    @Test("A stream that ends within a message is an error")
    func unfinished() throws {
        let bytes = framed([[1, 2, 3]])
        let id: [UInt8] = [0x37]
        let sink = StreamInput.Sink(frames: FrameWriter(codec: codec), compressor: nil)
        for count in [1, 4, 6, 7] {
            var input = StreamInput(maxMessageBytes: 10, limit: 99, encoding: .identity)
            var connection = StreamCredit(limit: 99)
            var frames = ByteBuffer()
            _ = try input.receive(
                Array(bytes[..<count]).span.bytes, id.span.bytes, sink, &connection, into: &frames)
            input.end()
            var failure: WireFailure?
            do throws(WireFailure) { _ = try input.takeEnd() } catch { failure = error }
            #expect(failure?.code == .internal)
        }
    }

    @Test("Parts of a message are sent when it is whole")
    func parts() {
        var output = StreamOutput()
        output.begin(windowBytes: 1000, encoding: .identity)
        let part = [UInt8](repeating: 1, count: 400)
        let first = output.append(part.span.bytes, isLast: false, nil)
        #expect(!first)
        #expect(output.sendableBytes == 0 && output.heldBytes == 405)
        // The rest of the message gets credit, although nothing was sent.
        let second = output.append(part.span.bytes, isLast: false, nil)
        #expect(!second)
        #expect(output.windowUpdate() == 1800)
        let third = output.append(part.span.bytes, isLast: true, nil)
        #expect(third)
        #expect(output.sendableBytes == 1205)
        var bytes = ByteBuffer()
        output.take(atMost: 5) { bytes.append($0) }
        #expect(bytes.copyBytes() == [0, 0, 0, 0x04, 0xB0])
    }

    @Test("The RPC side gets credit as messages are sent")
    func window() {
        var output = StreamOutput()
        output.begin(windowBytes: 1000, encoding: .identity)
        let message = [UInt8](repeating: 1, count: 995)
        _ = output.append(message.span.bytes, isLast: true, nil)
        #expect(output.windowUpdate() == nil)
        output.take(atMost: 400) { _ in }
        #expect(output.windowUpdate() == nil)
        output.take(atMost: 200) { _ in }
        #expect(output.windowUpdate() == 1595)
        #expect(output.windowUpdate() == nil)
        output.take(atMost: 400) { _ in }
        #expect(output.windowUpdate() == nil)
    }

    @Test("One message is collected, none and two are errors")
    func collector() throws {
        var buffer = ByteBuffer()
        var collector = MessageCollector(maxMessageBytes: 10, encoding: .identity)
        for byte in framed([[1, 2, 3]]) {
            try collector.receive([byte].span.bytes, into: &buffer, nil)
        }
        try collector.end()
        #expect(buffer.copyBytes() == [1, 2, 3])
        var second: WireFailure?
        do throws(WireFailure) {
            try collector.receive(framed([[1]]).span.bytes, into: &buffer, nil)
        } catch { second = error }
        #expect(second?.code == .unimplemented)
        let none = MessageCollector(maxMessageBytes: 10, encoding: .identity)
        var missing: WireFailure?
        do throws(WireFailure) { try none.end() } catch { missing = error }
        #expect(missing?.code == .unimplemented)
    }

    @Test("A compressed message of a stream without an encoding is an error")
    func compressed() {
        var collector = MessageCollector(maxMessageBytes: 10, encoding: .identity)
        var buffer = ByteBuffer()
        var failure: WireFailure?
        let bytes: [UInt8] = [1, 0, 0, 0, 1, 7]
        do throws(WireFailure) {
            try collector.receive(bytes.span.bytes, into: &buffer, nil)
        } catch { failure = error }
        #expect(failure?.code == .internal)
    }
}
