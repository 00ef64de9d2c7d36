import RocketBase
@_spi(Simulation) import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct ConnectionTimeoutTests {
    let driven: HandDrivenLoop
    init() throws { driven = try HandDrivenLoop() }

    private func pair(
        kernelBufferBytes: Int = 0, _ change: (inout TCPConnectionConfiguration) -> Void
    ) throws -> ConnectedPair {
        var configuration = TCPConnectionConfiguration()
        configuration.partialInputTimeout = nil
        configuration.writeTimeout = nil
        change(&configuration)
        return try ConnectedPair(
            on: driven.reactor, configuration: configuration,
            kernelBufferBytes: kernelBufferBytes)
    }

    @Test("Closes a connection whose first bytes do not arrive in time")
    func firstBytesTimeout() throws {
        let silent = try pair { $0.firstBytesTimeout = .seconds(10) }
        let spoken = try pair { $0.firstBytesTimeout = .seconds(10) }
        spoken.peer.send([1])
        driven.tick(after: .milliseconds(9_900))
        #expect(silent.handler.closeReason == nil)
        driven.tick(after: .milliseconds(200))
        #expect(silent.handler.closeReason == .firstBytesTimeout)
        driven.tick(after: .seconds(100))
        #expect(spoken.handler.closeReason == nil)
    }

    @Test("A loop whose last connection has ended has no timer left for time limits")
    func endsWithTheLastConnection() throws {
        let pairs = [
            try pair { $0.idleTimeout = .seconds(10) }, try pair { $0.idleTimeout = .seconds(10) },
        ]
        driven.tick()
        #expect(driven.loop.waitingTimers == ["time limits"])
        pairs[0].connection.close(.now)
        driven.tick()
        #expect(driven.loop.waitingTimers == ["time limits"])
        pairs[1].connection.close(.now)
        driven.tick()
        #expect(driven.loop.waitingTimers.isEmpty)
        let next = try pair { $0.idleTimeout = .seconds(10) }
        driven.tick(after: .seconds(11))
        #expect(next.handler.closeReason == .idleTimeout)
    }

    @Test("Restarts the idle time limit with each byte in either direction")
    func idleTimeout() throws {
        let pair = try pair { $0.idleTimeout = .seconds(10) }
        for step in 0..<10 {
            if step % 2 == 0 {
                pair.peer.send([1])
            } else {
                pair.connection.write { $0.append(byte: 1) }
            }
            driven.tick(after: .seconds(8))
        }
        #expect(pair.handler.closeReason == nil)
        driven.tick(after: .milliseconds(10_100))
        #expect(pair.handler.closeReason == .idleTimeout)
    }

    @Test("Closes a connection that sends bytes but never the rest of a unit")
    func partialInputTimeout() throws {
        let pair = try pair { $0.partialInputTimeout = .seconds(10) }
        pair.handler.onReceived = { _, _ in }
        for _ in 0..<11 {
            pair.peer.send([1])
            driven.tick(after: .seconds(1))
        }
        driven.tick()
        #expect(pair.handler.closeReason == .partialInputTimeout)
    }

    @Test("Keeps a connection whose input is consumed in parts")
    func consumedInputRestartsTheLimit() throws {
        let pair = try pair { $0.partialInputTimeout = .seconds(10) }
        pair.handler.onReceived = { [handler = pair.handler] _, input in
            handler.take(&input, input.readableBytes - 1)
        }
        for _ in 0..<40 {
            pair.peer.send([1])
            driven.tick(after: .seconds(1))
        }
        #expect(pair.handler.closeReason == nil)
    }

    @Test("Restarts the partial input limit when delivery resumes: the delay was not the peer's")
    func heldBackInputIsNotPartial() throws {
        let pair = try pair(kernelBufferBytes: 2048) {
            $0.partialInputTimeout = .seconds(10)
            $0.highWaterMarkBytes = 10_000
            $0.lowWaterMarkBytes = 1_000
        }
        pair.handler.onReceived = { _, _ in }
        pair.peer.send([1])
        driven.tick()
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 60_000)) }
        driven.tick()
        driven.tick(after: .seconds(60))
        #expect(pair.handler.closeReason == nil)
        while !pair.connection.isWritable {
            _ = pair.peer.receive()
            driven.tick()
        }
        driven.settle()
        driven.tick(after: .milliseconds(9_900))
        #expect(pair.handler.closeReason == nil)

        pair.connection.pauseReading()
        driven.tick(after: .seconds(60))
        pair.connection.resumeReading()
        driven.tick(after: .milliseconds(9_900))
        #expect(pair.handler.closeReason == nil)
        driven.tick(after: .milliseconds(200))
        #expect(pair.handler.closeReason == .partialInputTimeout)
    }

    @Test("Closes a connection whose peer does not read")
    func writeTimeout() throws {
        let pair = try pair(kernelBufferBytes: 2048) { $0.writeTimeout = .seconds(10) }
        pair.connection.write { $0.append([UInt8](repeating: 1, count: 100_000)) }
        driven.tick()
        driven.tick(after: .seconds(9))
        _ = pair.peer.receive()
        driven.settle()
        driven.tick(after: .seconds(9))
        #expect(pair.handler.closeReason == nil)
        driven.tick(after: .milliseconds(1_100))
        #expect(pair.handler.closeReason == .writeTimeout)
    }

    @Test("Shares one timer among a thousand connections")
    func aThousandConnectionsShareOneTimer() throws {
        let before = driven.reactor.timerCount
        let pairs = try (0..<1_000).map { _ in try pair { $0.idleTimeout = .seconds(10) } }
        #expect(driven.reactor.timerCount == before + 1)
        driven.tick(after: .milliseconds(10_100))
        #expect(pairs.allSatisfy { $0.handler.closeReason == .idleTimeout })
    }
}
