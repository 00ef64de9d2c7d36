import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@_spi(TestKit) @_spi(Transport) import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct TCPConnectionTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    private func pair(
        kernelBufferBytes: Int = 0,
        _ change: (inout TCPConnectionConfiguration) -> Void = { _ in }
    ) throws -> ConnectedPair {
        var configuration = TCPConnectionConfiguration()
        change(&configuration)
        return try ConnectedPair(
            on: driven.reactor, configuration: configuration,
            kernelBufferBytes: kernelBufferBytes)
    }

    // MARK: Reading

    @Test("Delivers once per readiness")
    func bytesArriveInOneDeliveryPerReadiness() throws {
        let pair = try pair()
        pair.peer.send([1, 2, 3])
        pair.peer.send([4])
        driven.tick()
        #expect(pair.handler.events == [.connected, .received(4)])
        #expect(pair.handler.bytes == [1, 2, 3, 4])
    }

    @Test("Delivers what a handler left at the front the next time")
    func whatAHandlerLeavesIsAtTheFrontNextTime() throws {
        let pair = try pair()
        pair.handler.onReceived = { [handler = pair.handler] _, input in
            handler.take(&input, input.readableBytes / 2)
        }
        for byte in UInt8(1)...8 {
            pair.peer.send([byte])
            driven.tick()
        }
        #expect(pair.handler.bytes == Array(1...7))
        #expect(pair.connection.bufferedBytes == 1)
    }

    @Test("Delivers the same units whether bytes arrive one by one or together")
    func oneByteAtATimeMakesWhatAllAtOnceMakes() throws {
        let pair = try pair()
        // Units of four bytes.
        pair.handler.onReceived = { [handler = pair.handler] _, input in
            handler.take(&input, input.readableBytes / 4 * 4)
        }
        let sent = (0..<64).map { UInt8($0) }
        for byte in sent {
            pair.peer.send([byte])
            driven.tick()
            #expect(pair.connection.bufferedBytes == (Int(byte) + 1) % 4)
        }
        #expect(pair.handler.bytes == sent)
    }

    @Test("Grows the buffer for a large unit and gives it back")
    func aLargeUnitGrowsItsBufferAndGivesItBack() throws {
        let pair = try pair()
        let size = 3 << 20
        pair.handler.onReceived = { [handler = pair.handler] _, input in
            if input.readableBytes >= size { handler.take(&input) }
        }
        var unsent = [UInt8](repeating: 7, count: size)
        while !unsent.isEmpty {
            unsent.removeFirst(try #require(pair.peer.send(unsent)))
            driven.tick()
        }
        driven.settle()
        #expect(pair.handler.bytes.count == size)
        #expect(pair.connection.bufferedBytes == 0)
    }

    @Test("Closes the connection at inputLimitBytes")
    func moreUnconsumedInputThanAllowedEndsTheConnection() throws {
        let pair = try pair { $0.inputLimitBytes = 100 }
        pair.handler.onReceived = { _, _ in }
        pair.peer.send([UInt8](repeating: 1, count: 100))
        driven.tick()
        #expect(pair.handler.closeReason == nil)
        pair.peer.send([1])
        driven.tick()
        #expect(pair.handler.closeReason == .inputLimit(bytes: 101))
        #expect(pair.peer.receive() != .nothing)
    }

    @Test("Loses no input while reading is paused")
    func pausedReading() throws {
        let pair = try pair()
        pair.connection.pauseReading()
        pair.peer.send([1, 2])
        driven.settle()
        #expect(pair.handler.bytes == [])
        pair.connection.resumeReading()
        driven.settle()
        #expect(pair.handler.bytes == [1, 2])
    }

    @Test("Delivers the rest after resumeReading")
    func aHandlerThatPausedGetsTheRestAfterResuming() throws {
        let pair = try pair()
        pair.handler.onReceived = { [handler = pair.handler] connection, input in
            handler.take(&input, 1)
            connection.pauseReading()
        }
        pair.peer.send([1, 2, 3])
        pair.peer.finish()
        for count in 1...3 {
            driven.settle()
            #expect(pair.handler.bytes.count == count)
            #expect(!pair.handler.events.contains(.inputEnded))
            pair.connection.resumeReading()
        }
        driven.settle()
        #expect(pair.handler.events.suffix(2) == [.inputEnded, .closed(.peerFinished)])
    }

    @Test("Lends what a handler left, also after the peer's end")
    func inputIsLentAfterThePeersEnd() throws {
        let pair = try pair()
        pair.handler.onReceived = { _, _ in }
        pair.handler.onInputEnded = { _ in }
        pair.peer.send([1, 2, 3])
        pair.peer.finish()
        driven.settle()
        let first = pair.connection.withInput { input in
            defer { input.consume(1) }
            return input.copyBytes()
        }
        #expect(first == [1, 2, 3])
        #expect(pair.connection.withInput { $0.copyBytes() } == [2, 3])
        pair.connection.withInput { $0.removeAll() }
        #expect(pair.connection.bufferedBytes == 0)
    }

    @Test("Keeps the input until withInput ends when it closes the connection")
    func closingInsideWithInput() throws {
        let pair = try pair()
        pair.handler.onReceived = { _, _ in }
        pair.peer.send([UInt8](repeating: 5, count: 100_000))
        driven.settle()
        let connection = pair.connection
        connection.withInput { input in
            let before = input.readableBytes
            connection.close(.now)
            #expect(input.readableBytes == before && before > 0)
            #expect(input.copyBytes().allSatisfy { $0 == 5 })
        }
        #expect(connection.bufferedBytes == 0)
    }

    // MARK: Writing

    @Test("Sends all writes of a tick at its end")
    func allThatATickWritesIsSentAtItsEnd() throws {
        let pair = try pair()
        pair.handler.onReceived = { [handler = pair.handler] connection, input in
            handler.take(&input)
            for byte in UInt8(0)..<5 { connection.write { $0.append(byte: byte) } }
            #expect(pair.peer.receive() == .nothing)
        }
        pair.peer.send([1])
        driven.tick()
        #expect(pair.peer.receive() == .bytes([0, 1, 2, 3, 4]))
        #expect(pair.connection.pendingBytes == 0)
    }

    @Test("Keeps the order of shared and own bytes")
    func sharedAndOwnBytesKeepTheirOrder() throws {
        let pair = try pair()
        let shared = SharedBytes([3, 4])
        pair.connection.write { $0.append([1, 2] as [UInt8]) }
        pair.connection.write(shared: shared)
        pair.connection.write { $0.append([5] as [UInt8]) }
        pair.connection.write(shared: shared)
        driven.tick()
        #expect(pair.peer.receiveAll() == [1, 2, 3, 4, 5, 3, 4])
    }

    @Test("Inserts a segment into what was written last, behind what waits")
    func insertedSegments() throws {
        let pair = try pair(kernelBufferBytes: 2048)
        let long = [UInt8](repeating: 7, count: 20_000)
        var sent: [UInt8] = []
        for round in 0..<UInt8(3) {
            pair.connection.write { $0.append([round, 1, 2, 3] as [UInt8]) }
            pair.connection.insert(SharedBytes(long), before: 2)
            sent += [round, 1] + long + [2, 3]
            driven.tick()
        }
        var got: [UInt8] = []
        for _ in 0..<10_000 where got.count < sent.count {
            driven.tick()
            if case .bytes(let more) = pair.peer.receive(limit: 997) { got += more }
        }
        #expect(got == sent)
        #expect(pair.connection.pendingBytes == 0)
    }

    @Test("Flushes a full socket as the peer reads")
    func aFullSocketIsFlushedAsThePeerReads() throws {
        let pair = try pair(kernelBufferBytes: 4096)
        let sent = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        pair.connection.write { $0.append(sent) }
        var got: [UInt8] = []
        for _ in 0..<1_000 where got.count < sent.count {
            driven.tick()
            if case .bytes(let more) = pair.peer.receive(limit: 3_001) { got += more }
        }
        #expect(got == sent)
    }

    @Test("Keeps the order at every split by a full socket")
    func everySplitOfAFullSocketKeepsTheOrder() throws {
        // The kernel decides where a send ends; many sizes make many splits.
        for size in stride(from: 1, to: 4_000, by: 371) {
            let pair = try pair(kernelBufferBytes: 2048)
            var sent: [UInt8] = []
            for round in 0..<24 {
                let piece = [UInt8](repeating: UInt8(round), count: size)
                sent += piece
                if round % 3 == 0 {
                    pair.connection.write(shared: SharedBytes(piece))
                } else {
                    pair.connection.write { $0.append(piece) }
                }
            }
            var got: [UInt8] = []
            for _ in 0..<10_000 where got.count < sent.count {
                driven.tick()
                if case .bytes(let more) = pair.peer.receive(limit: 997) { got += more }
            }
            #expect(got == sent, "pieces of \(size)")
            pair.connection.close(.now)
            driven.tick()
        }
    }

    @Test("Stops reading from a slow reader until the low mark")
    func slowReader() throws {
        let pair = try pair(kernelBufferBytes: 2048) {
            $0.highWaterMarkBytes = 10_000
            $0.lowWaterMarkBytes = 2_000
        }
        #expect(pair.connection.isWritable)
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 60_000)) }
        #expect(!pair.connection.isWritable)
        driven.tick()
        #expect(pair.handler.events.last == .writability(false))
        pair.peer.send([9])
        driven.tick()
        #expect(pair.handler.bytes == [])
        for _ in 0..<1_000 where !pair.connection.isWritable {
            _ = pair.peer.receive(limit: 4_000)
            driven.tick()
        }
        #expect(pair.handler.events.contains(.writability(true)))
        driven.settle()
        #expect(pair.handler.bytes == [9])
    }

    @Test("Closes the connection at outputLimitBytes when the peer never reads")
    func outputLimit() throws {
        let pair = try pair(kernelBufferBytes: 2048) { $0.outputLimitBytes = 50_000 }
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 40_000)) }
        driven.settle()
        #expect(pair.handler.closeReason == nil)
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 40_000)) }
        driven.settle()
        guard case .outputLimit(let bytes) = pair.handler.closeReason else {
            Issue.record("\(String(describing: pair.handler.closeReason))")
            return
        }
        #expect(bytes > 50_000)
        #expect(pair.connection.bufferedBytes == 0)
    }

    @Test("Closes the connection at outputLimitBytes inside one callback")
    func outputLimitInOneCallback() throws {
        let pair = try pair { $0.outputLimitBytes = 8 << 20 }
        let block = [UInt8](repeating: 1, count: 1 << 20)
        pair.handler.onReceived = { connection, input in
            input.removeAll()
            var most = 0
            for _ in 0..<(1 << 30) / block.count {
                connection.write { $0.append(block) }
                most = max(most, connection.heldBytes)
            }
            #expect(most <= 9 << 20)
            #expect(connection.state == .closed && connection.heldBytes == 0)
        }
        pair.peer.send([1])
        driven.settle()
        #expect(pair.handler.closeReason == .outputLimit(bytes: 9 << 20))
    }

    @Test("Applies outputLimitBytes to the byte within a tick", arguments: [100, 20_000])
    func outputLimitToTheByte(limit: Int) throws {
        let within = try pair { $0.outputLimitBytes = limit }
        for _ in 0..<limit { within.connection.write { $0.append(byte: 1) } }
        #expect(within.connection.state == .connected)
        within.connection.write { $0.append(byte: 1) }
        #expect(within.connection.state == .closed)

        let shared = try pair { $0.outputLimitBytes = limit }
        shared.connection.write(shared: SharedBytes([UInt8](repeating: 1, count: limit)))
        #expect(shared.connection.state == .connected)
        shared.connection.write(shared: SharedBytes([1]))
        #expect(shared.connection.state == .closed)
    }

    @Test("Drops writes to a closed connection")
    func writingToAClosedConnectionGoesNowhere() throws {
        let pair = try pair()
        pair.connection.close(.now)
        pair.connection.write { $0.append(byte: 1) }
        pair.connection.write(shared: SharedBytes([1]))
        pair.connection.insert(SharedBytes([1]), before: 1)
        driven.settle()
        #expect(pair.connection.pendingBytes == 0)
        #expect(pair.handler.events == [.connected, .closed(.requested)])
    }

    @Test("What the kernel holds for a peer that does not read is known, until it reads")
    func unacknowledged() throws {
        let pair = try ConnectedPair(on: driven.reactor)
        #expect(pair.connection.unacknowledgedBytes() == 0)
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 5_000)) }
        driven.tick()
        #expect(pair.connection.pendingBytes == 0)
        // A Unix socket counts the memory that they take.
        #expect(pair.connection.unacknowledgedBytes() >= 5_000)
        #expect(pair.peer.receive(exactly: 5_000).count == 5_000)
        #expect(pair.connection.unacknowledgedBytes() == 0)
        pair.connection.close(.now)
        #expect(pair.connection.unacknowledgedBytes() == 0)
    }
}
