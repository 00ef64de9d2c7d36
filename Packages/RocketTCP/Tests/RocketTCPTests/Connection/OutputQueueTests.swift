import RocketBase
import RocketSystem
import Testing

@testable import RocketTCP

@Suite struct OutputQueueTests {
    /// own 3, shared 4, own 2, shared 1, shared 2, own 3: 15 bytes, 0 to 14 in order.
    private func sample() -> OutputQueue {
        var writes = OutputQueue()
        writes.own.append([0, 1, 2] as [UInt8])
        writes.append(SharedBytes([3, 4, 5, 6]))
        writes.own.append([7, 8] as [UInt8])
        writes.append(SharedBytes([9]))
        writes.append(SharedBytes([10, 11]))
        writes.own.append([12, 13, 14] as [UInt8])
        return writes
    }

    private func bytes(of writes: borrowing OutputQueue) throws -> [UInt8] {
        try writes.withPieces { pieces in (0..<pieces.count).flatMap { Array(pieces[$0].bytes) } }
    }

    @Test func everyPartialSendLeavesExactlyTheRest() throws {
        for split in 0...15 {
            var writes = sample()
            writes.sent(split)
            let left = writes.count
            #expect(left == 15 - split)
            let rest = try bytes(of: writes)
            #expect(rest == Array(UInt8(split)..<15), "split at \(split)")
        }
    }

    @Test func everyPairOfPartialSendsLeavesExactlyTheRest() throws {
        for first in 0...15 {
            for second in 0...(15 - first) {
                var writes = sample()
                writes.sent(first)
                writes.sent(second)
                let rest = try bytes(of: writes)
                #expect(rest == Array(UInt8(first + second)..<15))
            }
        }
    }

    @Test func whatIsAppendedAfterAPartialSendComesLast() throws {
        for split in 0...15 {
            var writes = sample()
            writes.sent(split)
            writes.own.append([15] as [UInt8])
            writes.append(SharedBytes([16, 17]))
            writes.own.append([18] as [UInt8])
            let rest = try bytes(of: writes)
            #expect(rest == Array(UInt8(split)..<19), "split at \(split)")
            writes.sent(19 - split)
            let left = writes.count
            #expect(left == 0)
        }
    }

    @Test func emptySharedBytesAreNoPiece() throws {
        var writes = OutputQueue()
        writes.append(SharedBytes([]))
        let (isEmpty, hasShared) = (writes.isEmpty, writes.hasShared)
        #expect(isEmpty && !hasShared)
    }

    @Test func manyPiecesGoInBoundedSends() throws {
        var writes = OutputQueue()
        for number in 0..<200 {
            writes.own.append([UInt8(number)] as [UInt8])
            writes.append(SharedBytes([UInt8(number)]))
        }
        var seen: [UInt8] = []
        while !writes.isEmpty {
            let next = try bytes(of: writes)
            let pieces = try writes.withPieces { $0.count }
            #expect(pieces <= OutputQueue.pieceLimit)
            seen += next
            writes.sent(next.count)
        }
        #expect(seen == (0..<200).flatMap { [UInt8($0), UInt8($0)] })
    }
}
