import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCPTestKit
import Testing

@testable import RocketTCP

@Suite(.oneAtATime) struct WaterMarkTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    private func pair(
        high: Int, low: Int, kernelBufferBytes: Int = 0,
        _ change: (inout TCPConnectionConfiguration) -> Void = { _ in }
    ) throws -> ConnectedPair {
        var configuration = TCPConnectionConfiguration()
        configuration.highWaterMarkBytes = high
        configuration.lowWaterMarkBytes = low
        change(&configuration)
        return try ConnectedPair(
            on: driven.reactor, configuration: configuration,
            kernelBufferBytes: kernelBufferBytes)
    }

    private func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 1, count: count) }

    private func writability(of pair: ConnectedPair) -> [Bool] {
        pair.handler.events.compactMap { event in
            if case .writability(let isWritable) = event { return isWritable }
            return nil
        }
    }

    // MARK: The value

    @Test("A flush below the mark changes nothing")
    func belowStays() {
        var mark = WaterMark.below
        #expect(mark.flushed(waiting: 1_000, lowMark: 0) == nil)
        #expect(mark == .below)
    }

    @Test("A flush notifies of true at the low mark, of false one byte above, and of false once")
    func flushDecides() {
        for low in [0, 1, 10] {
            var mark = WaterMark.passed
            #expect(mark.flushed(waiting: low, lowMark: low) == true)
            #expect(mark == .below)
            mark = .passed
            #expect(mark.flushed(waiting: low + 1, lowMark: low) == false)
            #expect(mark == .above)
            #expect(mark.flushed(waiting: low + 1, lowMark: low) == nil)
            #expect(mark == .above)
            #expect(mark.flushed(waiting: low, lowMark: low) == true)
            #expect(mark == .below)
        }
    }

    // MARK: Passing the high mark

    /// Marks below, at and above the step in which output is looked at.
    @Test(
        "Is writable exactly at the high mark and not one byte above",
        arguments: [
            1, 100, 16 << 10, 20_000, 100_000,
        ])
    func exactlyAtTheMark(high: Int) throws {
        let own = try pair(high: high, low: 0)
        own.connection.write { $0.append(bytes(high)) }
        #expect(own.connection.isWritable)
        own.connection.write { $0.append(byte: 1) }
        #expect(!own.connection.isWritable)

        let shared = try pair(high: high, low: 0)
        shared.connection.write(shared: SharedBytes(bytes(high)))
        #expect(shared.connection.isWritable)
        shared.connection.write(shared: SharedBytes([1]))
        #expect(!shared.connection.isWritable)

        let exact = try pair(high: high, low: 0)
        exact.connection.write { $0.append(bytes(high)) }
        driven.settle()
        #expect(writability(of: exact) == [])
    }

    @Test("Counts own and shared bytes together, in any order", arguments: [100, 20_000, 50_000])
    func mixedWritesPassTogether(high: Int) throws {
        for round in 0..<20 {
            let pair = try pair(high: high, low: high / 2)
            // Rounds before leave the distance to the next look at whatever it was.
            for _ in 0..<round {
                pair.connection.write { $0.append(bytes(3)) }
                pair.connection.write(shared: SharedBytes(bytes(high / 7)))
                driven.tick()
                _ = pair.peer.receiveAll()
            }
            #expect(writability(of: pair) == [])
            var total = 0
            var size = 1
            while total <= high {
                #expect(pair.connection.isWritable)
                if (total + round) % 2 == 0 {
                    pair.connection.write { $0.append(bytes(size)) }
                } else {
                    pair.connection.write(shared: SharedBytes(bytes(size)))
                }
                total += size
                size = size % 97 * 3 + 1
            }
            #expect(!pair.connection.isWritable)
        }
    }

    @Test("Notifies of room again when the kernel takes everything in the same tick's flush")
    func allTakenInOneFlush() throws {
        let pair = try pair(high: 10_000, low: 2_000)
        pair.handler.onWritability = { connection, isWritable in
            #expect(connection.isWritable == isWritable)
        }
        for round in 1...3 {
            pair.connection.write { $0.append(bytes(10_001)) }
            #expect(!pair.connection.isWritable)
            // Never inside the write.
            #expect(writability(of: pair).count == round - 1)
            driven.tick()
            #expect(pair.connection.pendingBytes == 0)
            #expect(pair.connection.isWritable)
            #expect(writability(of: pair) == [Bool](repeating: true, count: round))
            _ = pair.peer.receiveAll()
        }
    }

    @Test("A producer that stops at the mark and resumes when notified sends everything")
    func producerNeverStalls() throws {
        let pair = try pair(high: 10_000, low: 2_000)
        var queue = [[UInt8]](repeating: bytes(1_000), count: 500)
        func send(_ connection: TCPConnection) {
            while connection.isWritable, let next = queue.popLast() {
                connection.write(shared: SharedBytes(next))
            }
        }
        pair.handler.onWritability = { connection, isWritable in
            if isWritable { send(connection) }
        }
        send(pair.connection)
        var got = 0
        for _ in 0..<1_000 where got < 500_000 {
            driven.tick()
            got += pair.peer.receiveAll().count
        }
        #expect(got == 500_000)
        let left = queue.count
        #expect(left == 0)
    }

    // MARK: Falling to the low mark

    /// What one flush leaves of `count` bytes on a connection whose kernel buffers are small.
    private func leftAfterOneFlush(of count: Int) throws -> Int {
        let pair = try pair(high: 1_000, low: 0, kernelBufferBytes: 2048)
        pair.connection.write { $0.append(bytes(count)) }
        driven.tick()
        return pair.connection.pendingBytes
    }

    @Test("A partial flush down to the low mark is room, one byte more is not")
    func exactlyAtTheLowMark() throws {
        let left = try leftAfterOneFlush(of: 60_000)
        try #require(left > 1_000)

        let at = try pair(high: left + 1, low: left, kernelBufferBytes: 2048)
        at.connection.write { $0.append(bytes(60_000)) }
        #expect(!at.connection.isWritable)
        driven.tick()
        #expect(at.connection.pendingBytes == left)
        #expect(writability(of: at) == [true])
        #expect(at.connection.isWritable)

        let above = try pair(high: left + 1, low: left - 1, kernelBufferBytes: 2048)
        above.connection.write { $0.append(bytes(60_000)) }
        driven.tick()
        // Below the high mark, but it was passed: only the low one ends that.
        #expect(above.connection.pendingBytes == left)
        #expect(writability(of: above) == [false])
        #expect(!above.connection.isWritable)
        driven.settle()
        #expect(writability(of: above) == [false])
        while above.connection.pendingBytes == left {
            _ = above.peer.receive(limit: 1_000)
            driven.tick()
        }
        #expect(writability(of: above) == [false, true])
        #expect(above.connection.isWritable)
    }

    @Test("After room again, the next write is compared with the high mark from its first byte")
    func marksHoldAfterFalling() throws {
        let pair = try pair(high: 3_000, low: 1_000)
        for _ in 0..<3 {
            pair.connection.write { $0.append(bytes(3_001)) }
            #expect(!pair.connection.isWritable)
            driven.tick()
            #expect(pair.connection.isWritable)
            pair.connection.write { $0.append(bytes(3_000)) }
            #expect(pair.connection.isWritable)
            driven.tick()
            _ = pair.peer.receiveAll()
        }
    }

    @Test("With a low mark of 0, room comes when nothing is left")
    func lowMarkOfZero() throws {
        let whole = try pair(high: 5_000, low: 0)
        whole.connection.write { $0.append(bytes(5_001)) }
        driven.tick()
        #expect(writability(of: whole) == [true])

        let partial = try pair(high: 5_000, low: 0, kernelBufferBytes: 2048)
        partial.connection.write { $0.append(bytes(60_000)) }
        driven.tick()
        #expect(writability(of: partial) == [false])
        for _ in 0..<1_000 where partial.connection.pendingBytes > 0 {
            #expect(!partial.connection.isWritable)
            _ = partial.peer.receive(limit: 1_000)
            driven.tick()
        }
        #expect(partial.connection.pendingBytes == 0)
        #expect(partial.connection.isWritable)
        #expect(writability(of: partial) == [false, true])
    }

    @Test("A low mark above the high one counts as the high one")
    func marksInTheWrongOrder() throws {
        let pair = try pair(high: 1_000, low: 50_000)
        pair.connection.write { $0.append(bytes(1_001)) }
        #expect(!pair.connection.isWritable)
        driven.tick()
        #expect(pair.connection.isWritable)
        #expect(writability(of: pair) == [true])
    }

    // MARK: Input that was left meanwhile

    /// Units of one byte, each answered by 1,000 bytes; none is taken above the high mark.
    private func serve(_ pair: ConnectedPair) {
        pair.handler.onReceived = { [handler = pair.handler] connection, input in
            while !input.isEmpty, connection.isWritable {
                handler.take(&input, 1)
                connection.write { $0.append([UInt8](repeating: 2, count: 1_000)) }
            }
        }
    }

    @Test("Input left above the mark is delivered again although nothing more arrives")
    func leftInputIsDeliveredAgain() throws {
        let pair = try pair(high: 10_000, low: 2_000)
        serve(pair)
        pair.peer.send(bytes(100))
        var got = 0
        for _ in 0..<100 {
            driven.tick()
            got += pair.peer.receiveAll().count
        }
        #expect(got == 100_000)
        #expect(pair.connection.bufferedBytes == 0)
    }

    @Test("Input left for a slow reader is delivered as it reads, with reading paused meanwhile")
    func leftInputOfASlowReader() throws {
        let pair = try pair(high: 10_000, low: 2_000, kernelBufferBytes: 2048)
        serve(pair)
        pair.peer.send(bytes(100))
        driven.settle()
        #expect(!pair.connection.isWritable)
        let taken = pair.handler.bytes.count
        pair.peer.send(bytes(20))
        driven.settle()
        #expect(pair.handler.bytes.count == taken)
        var got = 0
        for _ in 0..<10_000 where got < 120_000 {
            if case .bytes(let more) = pair.peer.receive(limit: 3_000) { got += more.count }
            driven.tick()
        }
        #expect(got == 120_000)
        #expect(pair.handler.bytes.count == 120)
    }

    @Test("Input left while reading is paused waits for resumeReading, not for room")
    func pausedReadingWithInputLeft() throws {
        let pair = try pair(high: 10_000, low: 2_000)
        pair.handler.onReceived = { [handler = pair.handler] connection, input in
            handler.take(&input, 1)
            connection.write { $0.append([UInt8](repeating: 2, count: 10_001)) }
            connection.pauseReading()
        }
        pair.peer.send(bytes(3))
        for count in 1...3 {
            driven.settle()
            _ = pair.peer.receiveAll()
            #expect(pair.handler.bytes.count == count)
            #expect(writability(of: pair).count == count)
            pair.connection.resumeReading()
        }
        driven.settle()
        #expect(pair.connection.bufferedBytes == 0)
    }

    @Test("Whole messages left while reading was paused wait for room above the high mark")
    func resumedReadingAboveTheMark() throws {
        let pair = try pair(high: 10_000, low: 2_000, kernelBufferBytes: 2048)
        pair.handler.onReceived = { [handler = pair.handler] connection, input in
            handler.take(&input, 1)
            connection.pauseReading()
        }
        pair.peer.send(bytes(3))
        driven.settle()
        pair.connection.write { $0.append(bytes(60_000)) }
        driven.settle()
        #expect(pair.connection.isOutputFull)
        pair.connection.resumeReading()
        driven.settle()
        #expect(pair.handler.bytes.count == 1)
        for _ in 0..<1_000 where pair.connection.isOutputFull {
            #expect(pair.handler.bytes.count == 1)
            _ = pair.peer.receive(limit: 1_000)
            driven.tick()
        }
        driven.settle()
        #expect(pair.handler.bytes.count == 2)
    }

    // MARK: The end

    @Test("A closing connection is not writable and notifies of no room")
    func closingNotifiesOfNothing() throws {
        let pair = try pair(high: 10_000, low: 2_000)
        pair.connection.write { $0.append(bytes(10_001)) }
        pair.connection.close(.afterFlush)
        driven.settle()
        #expect(!pair.connection.isWritable)
        #expect(writability(of: pair) == [])
        #expect(pair.peer.receiveAll().count == 10_001)
    }

    @Test("Closing inside the notification is fine")
    func closingWhenNotified() throws {
        let pair = try pair(high: 10_000, low: 2_000)
        pair.handler.onWritability = { connection, _ in connection.close(.now) }
        pair.connection.write { $0.append(bytes(10_001)) }
        driven.settle()
        #expect(
            pair.handler.events == [.connected, .writability(true), .closed(.requested)])
    }
}
