import RocketBase
import RocketCodec
import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactor
import RocketReactorTestKit
@_spi(Transport) @testable import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketGRPC

@Suite("The choice between TinyPB and gRPC")
struct WireSelectionTests {
    private struct Rig {
        let loop: HandDrivenLoop
        let below = FakeBelow()
        let selection: WireSelection
        let scheduler: HandlerScheduler

        init() throws {
            loop = try HandDrivenLoop()
            let dispatcher = try RPCDispatcher(services: [GRPCService()], time: loop.clock)
            scheduler = HandlerScheduler(reactor: loop.reactor, dispatcher: dispatcher)
            selection = WireSelection(
                WireSelector([GRPCServerWire(GRPCServerConfiguration())], .test()), scheduler)
            selection.connected(below)
        }

        func receive(_ bytes: [UInt8]) {
            var input = ByteBuffer()
            input.append(bytes)
            let handler = below.handler ?? selection
            handler.received(below as any Transport, &input)
        }

        func end() {
            below.handler?.closed(below as any Transport, reason: .requested)
            scheduler.stop()
            loop.tickUntilIdle()
        }
    }

    @Test("The first bytes choose, wherever they are torn")
    func bytes() throws {
        let wire = GRPCServerWire(GRPCServerConfiguration())
        let preface = HTTP2Session.preface
        for count in 0...preface.count {
            let part = Array(preface.prefix(count))
            let match = wire.matches(part.span.bytes)
            switch match {
            case .yes: #expect(count == preface.count)
            case .needMore: #expect(count < preface.count)
            case .no: Issue.record("\(count) bytes do not match")
            }
        }
        for other: [UInt8] in [[2], [0x16, 3, 1], [UInt8]("PRI / HTTP".utf8)] {
            guard case .no = wire.matches(other.span.bytes) else {
                Issue.record("\(other) matches")
                continue
            }
        }
    }

    @Test(
        "A connection whose peer says nothing is in the report of its loop, until it says something"
    )
    func silentReport() throws {
        let rig = try Rig()
        func connections() -> [RPCServerSnapshot.Connection] {
            LoopReport(on: rig.loop.reactor, rig.scheduler, maxConnections: 10).connections
        }
        rig.loop.tick(after: .seconds(3))
        let silent = try #require(connections().first)
        #expect(silent.phase == .silent && silent.wire.isEmpty && silent.age == .seconds(3))
        #expect(silent.id == rig.selection.number && connections().count == 1)
        rig.receive(HTTP2Session.preface + RawFrame.settings().bytes)
        #expect(connections().map(\.phase) == [.open] && connections().map(\.wire) == ["gRPC"])
        rig.end()
        #expect(connections().isEmpty)
    }

    @Test("A connection that ends before it says anything leaves the report of its loop")
    func silentEnd() throws {
        let rig = try Rig()
        rig.selection.closed(rig.below, reason: .peerReset)
        #expect(
            LoopReport(on: rig.loop.reactor, rig.scheduler, maxConnections: 10).connections.isEmpty)
        rig.scheduler.stop()
        rig.loop.tickUntilIdle()
    }

    @Test("A client that speaks first after the drain began is told so in its own wire")
    func drain() throws {
        let rig = try Rig()
        rig.selection.draining(rig.below)
        rig.receive(HTTP2Session.preface + RawFrame.settings().bytes)
        rig.loop.tick()
        let frames = RawFrame.read(rig.below.take())
        #expect(
            frames.contains { $0.type == 7 && $0.payload.prefix(4) == [0x7F, 0xFF, 0xFF, 0xFF] })
        #expect(rig.below.closed == nil)
        rig.end()
    }

    @Test("A client that says nothing is closed soon after the drain began")
    func silent() throws {
        let rig = try Rig()
        rig.selection.draining(rig.below)
        rig.loop.tick()
        #expect(rig.below.closed == nil)
        rig.loop.tick(after: .seconds(1))
        #expect(rig.below.closed == .drained)
        rig.end()
    }
}
