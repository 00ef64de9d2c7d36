import RocketBase
import RocketCodec
import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactorTestKit
@_spi(Transport) import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketGRPC

@Suite("The end of a server's connection of gRPC")
struct ServerConnectionEndTests {
    @Test("A drain is announced twice; late calls that are refused are not begun")
    func drain() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", framed("x"))
        rig.connection.draining(rig.below)
        rig.loop.tick()
        #expect(rig.rpc.takeEvents() == ["draining"])
        let frames = RawFrame.read(rig.below.take())
        #expect(frames.map(\.type) == [7, 6])
        #expect(frames[0].payload.prefix(4) == [0x7F, 0xFF, 0xFF, 0xFF])
        #expect(frames[0].code == .noError)
        // A call that was on its way is still passed on.
        try rig.request("/a.S/unary", framed("late"))
        rig.rpc.send("3", "a.S.unary", code: .unavailable, info: "draining")
        rig.exchange()
        #expect(rig.events.closed[HTTP2StreamID(rawValue: 3)] == .refusedStream)
        rig.loop.tick(after: .seconds(1))
        let last = RawFrame.read(rig.below.take())
        #expect(last.map(\.type) == [7] && last[0].payload.prefix(4) == [0, 0, 0, 3])
        #expect(rig.below.closed == nil)
        rig.rpc.send("1", "a.S.unary", [1])
        rig.exchange()
        #expect(rig.takeEvents().contains("grpc-status: 0"))
        #expect(rig.below.closed == .drained)
    }

    @Test("A drain is fixed as soon as the client has answered the ping")
    func drainAnswered() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", framed("x"))
        rig.rpc.send("", "rocket.goaway")
        rig.exchange()
        #expect(
            rig.takeEvents() == [
                "going away after 2147483647: NO_ERROR", "ping",
                "going away after 1: NO_ERROR, the server is draining",
            ])
    }

    @Test("Pings that come too often end the connection with too_many_pings")
    func pings() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", framed("x"))
        for number in 0..<4 {
            rig.client.ping(UInt64(number))
            rig.exchange()
        }
        #expect(
            rig.takeEvents().last == "going away after 1: ENHANCE_YOUR_CALM, too_many_pings")
        #expect(rig.below.closed != nil)
    }

    @Test("Bytes that are no HTTP/2 end the connection")
    func noise() throws {
        let rig = try ServerRig()
        rig.receive(Array(repeating: 0xFF, count: 100))
        rig.loop.tick()
        #expect(RawFrame.read(rig.below.take()).last?.type == 7)
        #expect(rig.below.closed != nil)
    }

    @Test("The RPC side closes: what it has not answered is refused, what it has is sent")
    func close() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", framed("x"))
        try rig.request("/a.S/unary", [0], ends: false)
        rig.rpc.send("1", "a.S.unary", [1])
        rig.rpc.transport?.close(.afterFlush, reason: .peerFinished)
        rig.exchange()
        #expect(rig.events.closed[HTTP2StreamID(rawValue: 1)] == .noError)
        #expect(rig.events.closed[HTTP2StreamID(rawValue: 3)] == .refusedStream)
        #expect(rig.below.closed == .peerFinished)
    }

    @Test("A client that does not answer a ping is closed")
    func keepalive() throws {
        var configuration = GRPCServerConfiguration()
        configuration.keepaliveTime = .seconds(60)
        let rig = try ServerRig(configuration)
        rig.loop.tick(after: .seconds(61))
        rig.loop.tick()
        #expect(RawFrame.read(rig.below.take()).map(\.type) == [6])
        rig.loop.tick(after: .seconds(21))
        #expect(rig.below.closed == .peerSilent)
    }
}
