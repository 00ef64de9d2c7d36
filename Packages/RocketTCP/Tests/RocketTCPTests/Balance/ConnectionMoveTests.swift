import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
@_spi(Transport) @testable import RocketTCP
import RocketTCPTestKit
import Testing

@Suite(.oneAtATime) struct ConnectionMoveTests {
    @Test(
        "Bytes that arrive at any point of moves are neither lost nor reordered", arguments: 0..<40)
    func interleavings(seed: UInt64) throws {
        let scene = try MoveScene()
        var random = SplitMix(seed: seed)
        let peer = try scene.connect(to: 0, buffers: 4096)
        var (sent, received, unsent): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
        for _ in 0..<300 {
            switch random.next() % 8 {
            case 0, 1:
                for _ in 0..<(1 + random.next() % 9) {
                    unsent.append(UInt8(truncatingIfNeeded: sent.count + unsent.count))
                }
            case 2: unsent += (0..<3000).map { UInt8(truncatingIfNeeded: $0) }
            case 3: received += peer.receiveAll()
            case 4, 5: scene.move(from: Int(random.next() % 2))
            default: scene.loops[Int(random.next() % 2)].tick()
            }
            let count = peer.send(unsent) ?? 0
            sent += unsent.prefix(count)
            unsent.removeFirst(count)
        }
        unsent += [UInt8](repeating: 1, count: 8 - (sent.count + unsent.count) % 4)
        while received.count < sent.count + unsent.count {
            let count = peer.send(unsent) ?? 0
            sent += unsent.prefix(count)
            unsent.removeFirst(count)
            scene.settle()
            let more = peer.receiveAll()
            try #require(!more.isEmpty || count > 0)
            received += more
        }
        #expect(received == sent)
        // Now it is idle.
        let index = scene.connections(0).isEmpty ? 1 : 0
        #expect(scene.move(from: index))
        peer.send([1, 2, 3, 4])
        scene.settle()
        #expect(peer.receiveAll() == [1, 2, 3, 4])
        peer.finish()
        scene.settle()
        #expect(
            scene.log.last == "closed the peer closed after \(received.count / 4 + 1)")
        #expect(scene.isEmpty)
    }

    /// What happens to a connection that moves, and when.
    enum Event: CaseIterable { case finish, reset, drain, stop }
    enum Point: CaseIterable { case before, between, arrived }

    @Test(
        "A move and an end, of either side and at any point", arguments: Event.allCases,
        Point.allCases)
    func endings(event: Event, point: Point) throws {
        let scene = try MoveScene()
        let peer = try scene.connect(to: 0)
        scene.settle()
        peer.send([1, 2, 3, 4])
        scene.settle()
        func happen() {
            switch event {
            case .finish: peer.finish()
            case .reset: peer.close()
            case .drain:
                scene.context.advance(to: .draining)
                let context = scene.context
                for loop in scene.loops {
                    loop.loop.execute { for one in context.connections(on: $0) { one.drain() } }
                }
            case .stop:
                scene.context.advance(to: .stopped)
                let context = scene.context
                for loop in scene.loops {
                    loop.loop.execute {
                        for one in context.connections(on: $0) {
                            one.close(.now, reason: .stopped)
                        }
                    }
                }
            }
        }
        if point == .before { happen() }
        #expect(scene.move(from: 0))
        if point == .between { happen() }
        scene.loops[1].tick()
        #expect(scene.connections(0).isEmpty)
        if point == .arrived { happen() }
        scene.settle()
        scene.clock.advance(by: .seconds(2))
        scene.settle()
        #expect(scene.isEmpty)
        let log = scene.log
        // A connection that arrives at a stopped server gets no handler.
        if event == .stop, point != .arrived { return #expect(log == ["connected"]) }
        #expect(log.count { $0.hasPrefix("closed") } == 1 && log.last?.hasSuffix("after 1") == true)
        #expect(log.count { $0 == "draining" } == (event == .drain ? 1 : 0))
    }

    /// Why a connection stays.
    enum Reason: CaseIterable {
        case partialInput, waitingOutput, pausedReading, handlerBytes, tickOutput, halfClosed
    }

    @Test("A connection that is not idle stays", arguments: Reason.allCases)
    func notIdle(reason: Reason) throws {
        let scene = try MoveScene()
        let peer = try scene.connect(to: 0, buffers: 4096)
        scene.settle()
        let connection = try #require(scene.connections(0).first)
        switch reason {
        case .partialInput: peer.send([1, 2, 3])
        case .waitingOutput: connection.write { $0.append([UInt8](repeating: 0, count: 500_000)) }
        case .pausedReading: connection.pauseReading()
        case .handlerBytes: connection.handlerBytes = 1
        case .tickOutput: break
        case .halfClosed: connection.finishWriting()
        }
        scene.settle()
        if reason == .tickOutput { connection.write { $0.append([0]) } }
        #expect(!scene.move(from: 0))
        #expect(connection.state != .closed && scene.log == ["connected"])
    }

    @Test("A connection keeps its number, its counts and its time limits")
    func continuation() throws {
        let scene = try MoveScene { $0.connection.idleTimeout = .seconds(10) }
        let peer = try scene.connect(to: 0, number: 42)
        scene.settle()
        peer.send([1, 2, 3, 4, 5, 6, 7, 8])
        scene.settle()
        scene.clock.advance(by: .seconds(9))
        #expect(scene.move(from: 0))
        scene.settle()
        let moved = try #require(scene.connections(1).first)
        #expect(moved.number == 42 && moved.traffic.receivedBytes == 8 && moved.sentBytes == 8)
        #expect(scene.log == ["connected", "connected"])
        scene.clock.advance(by: .milliseconds(1100))
        scene.settle()
        #expect(scene.log.last == "closed idle for too long after 2")
        #expect(scene.isEmpty)
    }

    @Test("A moved connection no longer belongs to its old object")
    func oldObject() throws {
        let scene = try MoveScene()
        let peer = try scene.connect(to: 0)
        scene.settle()
        let old = try #require(scene.connections(0).first)
        #expect(scene.move(from: 0) && old.state == .closed)
        old.write { $0.append([9]) }
        old.close(.reset)
        scene.settle()
        peer.send([1, 2, 3, 4])
        scene.settle()
        #expect(peer.receiveAll() == [1, 2, 3, 4] && scene.context.limiter.connections == 1)
    }
}
