import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// Over TCP on the loopback, since a socket pair can't be reset.
@Suite(.oneAtATime) struct TCPConnectionResetTests {
    let driven: HandDrivenLoop
    let server: TCPServer
    let handler = RecordingConnectionHandler()
    let peer: RawPeer

    init() throws {
        driven = try HandDrivenLoop()
        let bound = LoopBound(handler, on: driven.reactor)
        server = TCPServer(
            configuration: TCPServerConfiguration(listen: [.loopback(port: 0)]),
            mainLoop: driven.loop, subLoops: []
        ) { _ in bound.get() }
        let address = try #require(try server.start().first)
        driven.settle()
        peer = try RawPeer(connectingTo: address)
        driven.settle()
        try #require(handler.events == [.connected])
    }

    private func finish() {
        driven.settle()
        #expect(server.connectionCount == 0)
        server.stop()
        driven.settle()
        #expect(driven.reactor.registrationCount == 1)
    }

    @Test("Reports a reset while connected")
    func whileConnected() {
        peer.reset()
        driven.settle()
        #expect(handler.events == [.connected, .closed(.peerReset)])
        finish()
    }

    @Test("Resets the connection by close(.reset)")
    func byThisSide() {
        handler.connection?.write { $0.append([1, 2] as [UInt8]) }
        handler.connection?.close(.reset)
        driven.settle()
        guard case .failed = peer.receive() else {
            Issue.record("the peer was not reset")
            return
        }
        #expect(handler.events == [.connected, .closed(.requested)])
        finish()
    }

    @Test("Reports a reset while reading is paused")
    func whileReadingIsPaused() {
        handler.connection?.pauseReading()
        peer.send([1])
        driven.settle()
        peer.reset()
        driven.settle()
        #expect(handler.events == [.connected, .closed(.peerReset)])
        finish()
    }

    @Test("Reports a reset after the peer's end")
    func afterThePeersEnd() {
        handler.onInputEnded = { _ in }
        peer.finish()
        driven.settle()
        peer.reset()
        driven.settle()
        #expect(handler.events == [.connected, .inputEnded, .closed(.peerReset)])
        finish()
    }

    @Test("Reports a reset after our end")
    func afterOurEnd() {
        handler.connection?.finishWriting()
        driven.settle()
        peer.reset()
        driven.settle()
        // Everything was sent: a reset in place of an end loses nothing.
        #expect(handler.events == [.connected, .closed(.peerReset)])
        finish()
    }

    @Test("Reports a reset while draining with output left")
    func whileDrainingWithOutput() {
        handler.connection?.write { $0.append([UInt8](repeating: 1, count: 30_000_000)) }
        handler.connection?.close(.afterFlush)
        driven.settle()
        peer.reset()
        driven.settle()
        #expect(handler.closeReason == .peerReset)
        finish()
    }

    @Test("Keeps the reason of the close when a reset follows complete output")
    func whileDrainingWithAllSent() {
        handler.connection?.close(.afterFlush)
        driven.settle()
        peer.reset()
        driven.settle()
        #expect(handler.closeReason == .requested)
        finish()
    }

    @Test("Reports a reset while output waits")
    func withOutputThatWaits() {
        handler.connection?.write { $0.append([UInt8](repeating: 1, count: 30_000_000)) }
        driven.settle()
        peer.reset()
        driven.settle()
        #expect(handler.closeReason == .peerReset)
        finish()
    }

    @Test("Loses no input when both sides end while reading is paused")
    func bothEndsWhileReadingIsPaused() {
        handler.connection?.pauseReading()
        handler.connection?.finishWriting()
        peer.send([1, 2, 3])
        peer.finish()
        driven.settle()
        #expect(handler.events == [.connected])
        handler.connection?.resumeReading()
        driven.settle()
        #expect(handler.bytes == [1, 2, 3])
        #expect(handler.closeReason == .peerFinished)
        finish()
    }
}
