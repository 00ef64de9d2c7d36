import RocketBase
import RocketCodec
import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactorTestKit
@_spi(Transport) @testable import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketGRPC

@Suite("The end of a channel's connection of gRPC")
struct ClientConnectionEndTests {
    @Test("GOAWAY: calls that the server has not begun are sent again, later ones elsewhere")
    func goAway() throws {
        let rig = try ClientRig()
        rig.call("a")
        rig.call("b")
        rig.server.goAway(last: HTTP2StreamID(rawValue: 1), .noError)
        rig.exchange()
        let frames = rig.rpc.takeFrames()
        #expect(frames.contains(" rocket.goaway"))
        #expect(frames.contains { $0.hasPrefix("b  UNAVAILABLE") })
        rig.call("c")
        #expect(rig.rpc.takeFrames() == ["c  UNAVAILABLE the connection takes no more calls"])
        rig.answer(1, [(":status", "200"), ("content-type", "application/grpc")], framed("x"))
        #expect(rig.rpc.takeFrames() == ["a  | x"])
    }

    @Test("After too_many_pings connections ping half as often")
    func tooManyPings() throws {
        var configuration = GRPCChannelConfiguration()
        configuration.keepaliveTime = .seconds(10)
        let rig = try ClientRig(configuration)
        rig.call("a")
        rig.loop.tick(after: .seconds(11))
        rig.loop.tick()
        #expect(RawFrame.read(rig.below.take()).map(\.type) == [6])
        rig.loop.tick(after: .seconds(21))
        #expect(rig.below.closed == .peerSilent)
        rig.server.goAway(
            last: HTTP2StreamID(rawValue: 1), .enhanceYourCalm, "too_many_pings")
        rig.receive(rig.server.output().bytes)
        #expect(rig.wire.keepaliveTime == .seconds(20))
    }

    @Test("Nothing is left of a connection that has ended")
    func lifetime() throws {
        let loop: HandDrivenLoop
        weak var connection: GRPCClientConnection?
        weak var session: HTTP2Session?
        do {
            var configuration = GRPCChannelConfiguration()
            configuration.keepaliveTime = .seconds(10)
            let rig = try ClientRig(configuration)
            loop = rig.loop
            (connection, session) = (rig.connection, rig.connection.session)
            rig.call("a")
            rig.rpc.send("s", "a.S.m", info: "rkm1\nstream=b\nwindow=3\n")
            rig.rpc.transport?.close(.afterFlush, reason: .requested)
            rig.connection.closed(rig.below, reason: .requested)
            loop.tick()
        }
        #expect(connection == nil && session == nil)
        loop.tick(after: .seconds(60))
    }

    @Test("A server that ends its output answers no more: the connection is closed at once")
    func inputEnded() throws {
        let rig = try ClientRig()
        rig.call("a")
        rig.connection.inputEnded(rig.below)
        #expect(rig.rpc.takeEvents() == ["input ended"])
        rig.rpc.transport?.close(.afterFlush, reason: .peerFinished)
        rig.loop.tick()
        #expect(rig.below.closed == .peerFinished)
    }

    @Test("A response that has come as a whole is read to its end, also after the server's")
    func wholeResponse() throws {
        let rig = try ClientRig()
        rig.call("s", "rkm1\nstream=s\nwindow=3\n")
        rig.answer(
            1, [(":status", "200"), ("content-type", "application/grpc")], framed("three"))
        #expect(rig.rpc.takeFrames() == ["s rocket.data more | thr"])
        rig.connection.inputEnded(rig.below)
        rig.loop.tick()
        #expect(rig.rpc.takeEvents() == [] && rig.rpc.takeFrames() == [" rocket.goaway"])
        rig.rpc.sendWindow("s", 100)
        rig.loop.tick()
        #expect(rig.rpc.takeFrames() == ["s rocket.data | ee", "s "])
        #expect(rig.below.take() == [])
        rig.loop.tick()
        #expect(rig.rpc.takeEvents() == ["input ended"])
    }

    @Test("The end of the connection is that of the RPC side's transport")
    func end() throws {
        let rig = try ClientRig()
        rig.call("a")
        rig.connection.closed(rig.below, reason: .peerReset)
        #expect(rig.rpc.takeEvents() == ["closed: reset by the peer"])
        #expect(rig.connection.sentBytes > 0)
    }
}
