import RocketBase
import RocketSystem
import Testing

@testable import RocketTCP

@Suite struct OutputQueueTests {
    /// own 3, shared 4, own 2, shared 1, shared 2, own 3: 15 bytes, 0 to 14 in order.
    private func sample() -> OutputQueue {
        var queue = OutputQueue()
        queue.own.append([0, 1, 2] as [UInt8])
        queue.append(SharedBytes([3, 4, 5, 6]))
        queue.own.append([7, 8] as [UInt8])
        queue.append(SharedBytes([9]))
        queue.append(SharedBytes([10, 11]))
        queue.own.append([12, 13, 14] as [UInt8])
        return queue
    }

    private func bytes(of queue: borrowing OutputQueue) throws -> [UInt8] {
        try queue.withSlices { slices in (0..<slices.count).flatMap { Array(slices[$0].bytes) } }
    }

    @Test("Keeps exactly the rest after every partial send")
    func everyPartialSendLeavesExactlyTheRest() throws {
        for split in 0...15 {
            var queue = sample()
            queue.sent(split)
            let left = queue.count
            #expect(left == 15 - split)
            let rest = try bytes(of: queue)
            #expect(rest == Array(UInt8(split)..<15), "split at \(split)")
        }
    }

    @Test("Keeps exactly the rest after every pair of partial sends")
    func everyPairOfPartialSendsLeavesExactlyTheRest() throws {
        for first in 0...15 {
            for second in 0...(15 - first) {
                var queue = sample()
                queue.sent(first)
                queue.sent(second)
                let rest = try bytes(of: queue)
                #expect(rest == Array(UInt8(first + second)..<15))
            }
        }
    }

    @Test("Keeps the order of what is appended after a partial send")
    func whatIsAppendedAfterAPartialSendComesLast() throws {
        for split in 0...15 {
            var queue = sample()
            queue.sent(split)
            queue.own.append([15] as [UInt8])
            queue.append(SharedBytes([16, 17]))
            queue.own.append([18] as [UInt8])
            let rest = try bytes(of: queue)
            #expect(rest == Array(UInt8(split)..<19), "split at \(split)")
            queue.sent(19 - split)
            let left = queue.count
            #expect(left == 0)
        }
    }

    @Test("Keeps exactly the rest of segments in front of a tail, after every partial send")
    func segmentsInFrontOfATail() throws {
        for split in 0...10 {
            var queue = OutputQueue()
            queue.own.append([0, 1, 5, 6, 9] as [UInt8])
            queue.append(SharedBytes([2, 3, 4]), before: 3)
            queue.append(SharedBytes([7, 8]), before: 1)
            queue.sent(split)
            #expect(try bytes(of: queue) == Array(UInt8(split)..<10), "split at \(split)")
            queue.own.append([10, 11, 13] as [UInt8])
            queue.append(SharedBytes([12]), before: 1)
            #expect(try bytes(of: queue) == Array(UInt8(split)..<14), "split at \(split)")
            queue.sent(14 - split)
            let isEmpty = queue.isEmpty
            #expect(isEmpty)
        }
    }

    @Test("Ignores empty shared bytes")
    func emptySharedBytes() throws {
        var queue = OutputQueue()
        queue.append(SharedBytes([]))
        let (isEmpty, hasShared) = (queue.isEmpty, queue.hasShared)
        #expect(isEmpty && !hasShared)
    }

    @Test("Sends many slices in bounded system calls")
    func slicesAreBounded() throws {
        var queue = OutputQueue()
        for number in 0..<200 {
            queue.own.append([UInt8(number)] as [UInt8])
            queue.append(SharedBytes([UInt8(number)]))
        }
        var seen: [UInt8] = []
        while !queue.isEmpty {
            let next = try bytes(of: queue)
            let slices = try queue.withSlices { $0.count }
            #expect(slices <= OutputQueue.sliceLimit)
            seen += next
            queue.sent(next.count)
        }
        #expect(seen == (0..<200).flatMap { [UInt8($0), UInt8($0)] })
    }
}
