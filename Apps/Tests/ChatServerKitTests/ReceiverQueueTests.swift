import RocketBase
import RocketTCP
import Testing

@testable import ChatServerKit

@Suite struct ReceiverQueueTests {
    private func segment(_ texts: [String]) -> SharedBytes {
        SharedBytes(texts.flatMap { ChatPeer.bytes($0) })
    }

    private func append(_ texts: [String], to queue: inout ReceiverQueue) {
        let segment = segment(texts)
        queue.append(segment, 0..<segment.count)
    }

    /// Everything in it as texts, notices as `-N`.
    private func all(_ queue: inout ReceiverQueue) -> [String] {
        var texts: [String] = []
        while let piece = queue.next() {
            switch piece {
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

    @Test func whatGoesInComesOutInItsOrder() {
        var queue = ReceiverQueue()
        #expect(queue.isEmpty)
        append(["a", "bb"], to: &queue)
        append(["ccc"], to: &queue)
        #expect(queue.byteCount == 5 + 6 + 7)
        #expect(all(&queue) == ["a", "bb", "ccc"])
        #expect(queue.isEmpty)
        #expect(queue.byteCount == 0)
    }

    @Test func theOldestMessagesGoAndNoMoreThanNeeded() {
        var queue = ReceiverQueue()
        append(["a", "b", "c"], to: &queue)
        append(["d", "e"], to: &queue)
        #expect(queue.dropOldest(downTo: 25) == 0)
        #expect(queue.dropOldest(downTo: 24) == 1)
        #expect(queue.byteCount == 20)
        append(["f"], to: &queue)
        #expect(queue.dropOldest(downTo: 10) == 3)
        #expect(all(&queue) == ["-4", "e", "f"])
        #expect(queue.dropOldest(downTo: 0) == 0)
    }

    @Test func everythingCanGoAndTheReceiverIsStillTold() {
        var queue = ReceiverQueue()
        append(["a", "b"], to: &queue)
        #expect(queue.dropOldest(downTo: 0) == 2)
        #expect(!queue.isEmpty)
        #expect(queue.byteCount == 0)
        #expect(all(&queue) == ["-2"])
        #expect(queue.isEmpty)
    }

    @Test func aPartOfASegmentIsAllThatItSends() {
        var queue = ReceiverQueue()
        let bytes = segment(["a", "b", "c", "d"])
        queue.append(bytes, 5..<20)
        queue.append(bytes, 0..<0)
        #expect(queue.byteCount == 15)
        #expect(all(&queue) == ["b", "c", "d"])
    }

    @Test func aSmallPartDoesNotKeepTheWholeInMemory() {
        var queue = ReceiverQueue()
        weak var whole: SharedBytes?
        do {
            let bytes = segment(["a", "b", "c", "d"])
            whole = bytes
            queue.append(bytes, 5..<10)
        }
        #expect(whole == nil)
        #expect(all(&queue) == ["b"])
    }

    @Test func whatWasSentOrDroppedIsNotKept() {
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
        #expect(all(&queue) == ["-2", "c"])
    }

    /// A queue of many single messages, against an array of texts.
    @Test func itDoesWhatAPlainListWould() {
        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0 ... .max, using: &random)
        var generator = Steps(seed: seed)
        var queue = ReceiverQueue()
        var model: [String] = []
        var untold = 0
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
                untold += dropped
            default:
                guard let piece = queue.next() else { break }
                if case .dropped(let count) = piece {
                    #expect(count == untold, "seed \(seed)")
                    untold = 0
                } else if case .messages(let bytes, let range) = piece {
                    let texts = Self.texts(bytes, range)
                    #expect(Array(model.prefix(texts.count)) == texts, "seed \(seed)")
                    model.removeFirst(texts.count)
                }
            }
        }
        #expect(all(&queue) == (untold > 0 ? ["-\(untold)"] : []) + model, "seed \(seed)")
    }
}

/// Numbers from a seed (SplitMix64).
struct Steps {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
