import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct TCPConnectionClosingTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    private func pair(kernelBufferBytes: Int = 0) throws -> ConnectedPair {
        try ConnectedPair(on: driven.reactor, kernelBufferBytes: kernelBufferBytes)
    }

    @Test("Sends the output and waits for the peer's end when closed gracefully")
    func aGracefulCloseSendsFirstAndWaitsForThePeersEnd() throws {
        let pair = try pair()
        pair.connection.write { $0.append([1, 2] as [UInt8]) }
        pair.connection.close(.afterFlush)
        #expect(pair.connection.state == .draining)
        pair.connection.write { $0.append(byte: 3) }
        driven.tick()
        #expect(pair.peer.receive() == .bytes([1, 2]))
        #expect(pair.peer.receive() == .end)
        #expect(pair.handler.closeReason == nil)
        pair.peer.send([9])
        driven.settle()
        pair.peer.close()
        driven.settle()
        #expect(pair.handler.events == [.connected, .closed(.requested)])
        #expect(pair.connection.state == .closed)
    }

    @Test("Reports the sent bytes after the end")
    func sentBytesAfterTheEnd() throws {
        let pair = try pair()
        pair.connection.write { $0.append([1, 2, 3] as [UInt8]) }
        #expect(pair.connection.sentBytes == 0)
        driven.tick()
        #expect(pair.connection.sentBytes == 3)
        pair.connection.write { $0.append([4, 5] as [UInt8]) }
        pair.connection.close(.now)
        driven.settle()
        #expect(pair.connection.sentBytes == 3)
        #expect(pair.peer.receive() == .bytes([1, 2, 3]))
        #expect(pair.peer.receive() == .end)
    }

    @Test("Bounds the time of a graceful close")
    func aGracefulCloseIsBoundedInTime() throws {
        let pair = try pair(kernelBufferBytes: 2048)
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 100_000)) }
        pair.connection.close(.afterFlush)
        driven.tick(after: .seconds(4))
        #expect(pair.handler.closeReason == nil)
        driven.tick(after: .milliseconds(1_100))
        #expect(pair.handler.closeReason == .writeTimeout)
    }

    @Test("Closes after lingerTimeout when the peer keeps its side open")
    func lingerTimeout() throws {
        let pair = try pair()
        pair.connection.write { $0.append(byte: 1) }
        pair.connection.close(.afterFlush)
        driven.settle()
        #expect(pair.peer.receiveAll() == [1])
        driven.tick(after: .milliseconds(900))
        #expect(pair.handler.closeReason == nil)
        driven.tick(after: .milliseconds(150))
        #expect(pair.handler.closeReason == .requested)
    }

    @Test("Closes an idle connection at once")
    func anIdleConnectionIsClosedAtOnce() throws {
        let silent = try pair()
        let quiet = try pair()
        quiet.connection.write { $0.append(byte: 1) }
        driven.settle()
        driven.tick(after: .seconds(1))
        for pair in [silent, quiet] {
            pair.connection.close(.afterFlush)
            driven.settle()
            #expect(pair.handler.closeReason == .requested)
            _ = pair.peer.receiveAll()
            #expect(pair.peer.receive() == .end)
        }
    }

    @Test("Does not extend lingerTimeout by input of the peer")
    func inputDoesNotExtendLingering() throws {
        let pair = try pair()
        pair.connection.write { $0.append(byte: 1) }
        pair.connection.close(.afterFlush)
        driven.settle()
        for _ in 0..<11 {
            pair.peer.send([9])
            driven.tick(after: .milliseconds(100))
        }
        #expect(pair.handler.events == [.connected, .closed(.requested)])
    }

    @Test("Closes after the output when the peer has ended its side")
    func peersEndClosesAfterTheOutput() throws {
        let pair = try pair()
        pair.handler.onReceived = { connection, input in
            input.removeAll()
            connection.write { $0.append([4, 2] as [UInt8]) }
        }
        pair.peer.send([1])
        pair.peer.finish()
        driven.settle()
        #expect(pair.peer.receiveAll() == [4, 2])
        #expect(
            pair.handler.events
                == [.connected, .received(1), .inputEnded, .closed(.peerFinished)])
    }

    @Test("Lets a handler write after the peer's end")
    func writingAfterThePeersEnd() throws {
        let pair = try pair()
        pair.handler.onInputEnded = { _ in }
        pair.peer.finish()
        driven.settle()
        #expect(pair.connection.state == .halfClosed)
        pair.connection.write { $0.append([5] as [UInt8]) }
        driven.settle()
        #expect(pair.peer.receive() == .bytes([5]))
        pair.connection.close()
        driven.settle()
        #expect(pair.peer.receive() == .end)
        #expect(pair.handler.closeReason == .requested)
    }

    @Test("Continues to read after finishWriting")
    func readingAfterOurEnd() throws {
        let pair = try pair()
        pair.connection.write { $0.append([1] as [UInt8]) }
        pair.connection.finishWriting()
        pair.connection.write { $0.append([2] as [UInt8]) }
        driven.settle()
        #expect(pair.peer.receive() == .bytes([1]))
        #expect(pair.peer.receive() == .end)
        #expect(pair.connection.state == .halfClosed)
        pair.peer.send([7, 8])
        driven.settle()
        #expect(pair.handler.bytes == [7, 8])
        pair.peer.finish()
        driven.settle()
        #expect(pair.handler.closeReason == .peerFinished)
    }

    @Test("Notifies of a close inside received once, at the end of the tick")
    func closingInsideReceived() throws {
        let pair = try pair()
        var isInside = false
        pair.handler.onReceived = { connection, input in
            isInside = true
            connection.close(.now, reason: .rejected("test"))
            connection.close(.now)
            connection.close(.afterFlush)
            #expect(connection.state == .closed)
            isInside = false
        }
        pair.handler.onClosed = { _, _ in #expect(!isInside) }
        pair.peer.send([1])
        driven.settle()
        #expect(pair.handler.events == [.connected, .received(1), .closed(.rejected("test"))])
        #expect(driven.reactor.registrationCount == 1)
    }

    @Test("Ignores a close inside closed")
    func closingInsideClosedChangesNothing() throws {
        let pair = try pair()
        pair.handler.onClosed = { connection, _ in
            connection.close(.now)
            connection.write { $0.append(byte: 1) }
            connection.resumeReading()
            connection.finishWriting()
        }
        pair.connection.close(.now)
        driven.settle()
        #expect(pair.handler.events == [.connected, .closed(.requested)])
    }

    @Test("Lets a callback close another connection")
    func closingAnotherConnection() throws {
        let first = try pair()
        let second = try pair()
        first.handler.onReceived = { _, input in
            input.removeAll()
            second.connection.close(.now)
        }
        second.handler.onReceived = { _, input in
            input.removeAll()
            first.connection.close(.now)
        }
        first.peer.send([1])
        second.peer.send([1])
        driven.settle()
        let receivers = [first.handler, second.handler].filter { $0.events.contains(.received(1)) }
        #expect(receivers.count == 1)
    }

    @Test("Survives the release of the last reference inside closed")
    func lastReferenceInClosed() throws {
        weak var connection: TCPConnection?
        do {
            let pair = try pair()
            connection = pair.connection
            pair.peer.close()
            driven.settle()
        }
        driven.settle()
        #expect(connection == nil)
    }
}
