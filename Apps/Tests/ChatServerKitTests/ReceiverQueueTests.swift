import RocketBase
import RocketBaseTestKit
import RocketTCP
import Testing

@testable import ChatServerKit

@Suite("ReceiverQueue") struct ReceiverQueueTests {
    private func segment(_ texts: [String]) -> SharedBytes {
        SharedBytes(texts.flatMap { ChatPeer.bytes($0) })
    }

    private func append(_ texts: [String], to queue: inout ReceiverQueue) {
        let segment = segment(texts)
        queue.append(segment, 0..<segment.count)
    }

    /// Removes all elements and returns their texts; a notice of N dropped messages is `-N`.
    private func removeAll(_ queue: inout ReceiverQueue) -> [String] {
        var texts: [String] = []
        while let element = queue.popFirst() {
            switch element {
            case .dropped(let count): texts.append("-\(count)")
            case .messages(let bytes, let range): texts += Self.texts(bytes, range)
            }
        }
        return texts
    }

    private static func texts(_ bytes: SharedBytes, _ range: Range<Int>) -> [String] {
        let all = bytes.buffer.copyBytes()
        var texts: [String] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let end = offset + 4 + Int(all[offset + 3])
            texts.append(String(decoding: all[(offset + 4)..<end], as: UTF8.self))
            offset = end
        }
        return texts
    }

    @Test("Returns messages in the order in which they were appended")
    func order() {
        var queue = ReceiverQueue()
        #expect(queue.isEmpty == true)
        append(["a", "bb"], to: &queue)
        append(["ccc"], to: &queue)
        #expect(queue.byteCount == 5 + 6 + 7)
        #expect(removeAll(&queue) == ["a", "bb", "ccc"])
        #expect(queue.isEmpty == true)
        #expect(queue.byteCount == 0)
    }

    @Test("Drops the oldest messages, and no more than needed")
    func dropping() {
        var queue = ReceiverQueue()
        append(["a", "b", "c"], to: &queue)
        append(["d", "e"], to: &queue)
        #expect(queue.dropOldest(downTo: 25) == 0)
        #expect(queue.dropOldest(downTo: 24) == 1)
        #expect(queue.byteCount == 20)
        append(["f"], to: &queue)
        #expect(queue.dropOldest(downTo: 10) == 3)
        #expect(removeAll(&queue) == ["-4", "e", "f"])
        #expect(queue.dropOldest(downTo: 0) == 0)
    }

    @Test("Reports dropped messages even if the queue is empty otherwise")
    func droppingAll() {
        var queue = ReceiverQueue()
        append(["a", "b"], to: &queue)
        #expect(queue.dropOldest(downTo: 0) == 2)
        #expect(queue.isEmpty == false)
        #expect(queue.byteCount == 0)
        #expect(removeAll(&queue) == ["-2"])
        #expect(queue.isEmpty == true)
    }

    @Test("Sends only the range that was appended")
    func partialRange() {
        var queue = ReceiverQueue()
        let bytes = segment(["a", "b", "c", "d"])
        queue.append(bytes, 5..<20)
        queue.append(bytes, 0..<0)
        #expect(queue.byteCount == 15)
        #expect(removeAll(&queue) == ["b", "c", "d"])
    }

    @Test("A small range does not keep the whole segment in memory")
    func smallRange() {
        var queue = ReceiverQueue()
        weak var whole: SharedBytes?
        do {
            let bytes = segment(["a", "b", "c", "d"])
            whole = bytes
            queue.append(bytes, 5..<10)
        }
        #expect(whole == nil)
        #expect(removeAll(&queue) == ["b"])
    }

    @Test("Releases the bytes of messages that were sent or dropped")
    func releasing() {
        var queue = ReceiverQueue()
        append(["a"], to: &queue)
        weak var second: SharedBytes?
        do {
            let bytes = segment(["b"])
            second = bytes
            queue.append(bytes, 0..<5)
        }
        append(["c"], to: &queue)
        #expect(queue.dropOldest(downTo: 5) == 2)
        #expect(second == nil)
        #expect(removeAll(&queue) == ["-2", "c"])
    }

    @Test("Behaves like an array of texts in random operations")
    func model() {
        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0 ... .max, using: &random)
        var generator = SplitMix(seed: seed)
        var queue = ReceiverQueue()
        var model: [String] = []
        var unreported = 0
        for number in 0..<5000 {
            switch generator.next() % 4 {
            case 0, 1:
                let texts = (0..<(generator.next() % 4 + 1)).map { "\(number).\($0)" }
                append(texts, to: &queue)
                model += texts
            case 2:
                let limit = Int(generator.next() % 400)
                let dropped = queue.dropOldest(downTo: limit)
                var expected = 0
                while model.reduce(0, { $0 + 4 + $1.utf8.count }) > limit {
                    model.removeFirst()
                    expected += 1
                }
                #expect(dropped == expected, "seed \(seed)")
                unreported += dropped
            default:
                guard let element = queue.popFirst() else { break }
                if case .dropped(let count) = element {
                    #expect(count == unreported, "seed \(seed)")
                    unreported = 0
                } else if case .messages(let bytes, let range) = element {
                    let texts = Self.texts(bytes, range)
                    #expect(Array(model.prefix(texts.count)) == texts, "seed \(seed)")
                    model.removeFirst(texts.count)
                }
            }
        }
        #expect(
            removeAll(&queue) == (unreported > 0 ? ["-\(unreported)"] : []) + model, "seed \(seed)")
    }
}
