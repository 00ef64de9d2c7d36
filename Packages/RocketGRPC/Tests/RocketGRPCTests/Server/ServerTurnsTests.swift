import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactorTestKit
@_spi(Transport) import RocketRPC
import Testing

@testable import RocketGRPC

@Suite("What waits on a server's connection of gRPC, and what does not")
struct ServerTurnsTests {
    @Test("Trailers do not wait for the client's window if no message does", arguments: [0, 8])
    func trailersWithoutWindow(room: Int) throws {
        var windows = HTTP2Configuration()
        windows.streamWindowBytes = room
        let rig = try ServerRig(client: windows)
        // A message that takes all of the window, if there is any.
        let id = try rig.request("/a.S/server", framed("x"))
        rig.rpc.sendWindow("", 1 << 20)
        if room > 0 { rig.rpc.send("1", "rocket.data", [1, 2, 3]) }
        rig.exchange()
        #expect(rig.client.sendWindow(of: id) > 0)
        rig.rpc.send("1", "a.S.server")
        rig.exchange()
        #expect(rig.events.received[id]?.count ?? 0 == room)
        #expect(rig.takeEvents().contains("grpc-status: 0"))
        #expect(rig.events.closed[id] == .noError)
        // A message for which there is no room is sent first.
        let next = try rig.request("/a.S/server", framed("x"))
        rig.rpc.send("3", "rocket.data", Array(repeating: 1, count: 10))
        rig.rpc.send("3", "a.S.server")
        rig.exchange()
        #expect(rig.events.closed[next] == nil && !rig.takeEvents().contains("grpc-status: 0"))
        rig.client.consumed(rig.events.received[next]?.count ?? 0, on: next)
    }

    @Test("Input behind very large headers is read in another tick, and its end behind it")
    func denseHeaders() throws {
        var configuration = GRPCServerConfiguration()
        configuration.http2.headerBytesPerReceive = 1_000
        let rig = try ServerRig(configuration)
        for _ in 0..<20 {
            var headers = HTTP2Headers([
                ":method": "POST", ":scheme": "http", ":path": "/a.S/none", ":authority": "x",
                "te": "trailers", "content-type": "application/grpc",
            ])
            headers.add("x-a", String(repeating: "a", count: 800))
            _ = try rig.client.request(headers, endsStream: true)
        }
        rig.receive(rig.client.output().bytes)
        #expect(rig.rpc.takeFrames().count <= 2)
        rig.connection.inputEnded(rig.below)
        #expect(rig.rpc.takeEvents() == [])
        rig.loop.tick(after: .milliseconds(1))
        let some = rig.rpc.takeFrames().count
        #expect((1...2).contains(some))
        for _ in 0..<20 { rig.loop.tick(after: .milliseconds(1)) }
        #expect(rig.rpc.takeFrames().count >= 15 && rig.rpc.takeEvents() == ["input ended"])
    }
}
