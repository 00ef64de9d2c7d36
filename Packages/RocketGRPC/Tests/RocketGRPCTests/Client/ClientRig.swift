import RocketBase
import RocketCodec
import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactorTestKit
@_spi(Transport) @testable import RocketRPC
import RocketSystem
import RocketTCP

@testable import RocketGRPC

/// A channel's connection of gRPC between a fake RPC side and a server's session.
final class ClientRig {
    let loop: HandDrivenLoop
    let below = FakeBelow()
    let rpc = FakeRPC()
    let wire: GRPCChannelWire
    let connection: GRPCClientConnection
    let events = HTTP2Recorder()
    let server: HTTP2Session
    private(set) var failure: RPCError?

    init(
        _ configuration: GRPCChannelConfiguration = GRPCChannelConfiguration(),
        server: HTTP2Configuration = HTTP2Configuration(), settles: Bool = true
    ) throws {
        loop = try HandDrivenLoop()
        wire = GRPCChannelWire(configuration)
        self.server = try HTTP2Session(role: .server, configuration: server, handler: events)
        var report: (RPCError) -> Void = { _ in }
        connection = GRPCClientConnection(
            wire, for: rpc, .test(), on: loop.reactor, timeout: .seconds(5), failed: { report($0) })
        report = { [unowned self] in failure = $0 }
        connection.connected(below)
        if !settles { return }
        exchange()
        events.removeEvents()
        _ = rpc.takeEvents()
        _ = rpc.takeFrames()
    }

    func exchange() {
        for _ in 0..<100 {
            loop.tick()
            let sent = below.take()
            below.sentBytes += UInt64(sent.count)
            if !sent.isEmpty { try? server.receive(sent) }
            let received = server.output().bytes
            if !received.isEmpty { receive(received) }
            if sent.isEmpty, received.isEmpty { return }
        }
    }

    func receive(_ bytes: [UInt8]) { below.receive(bytes, connection) }

    func call(_ id: String, _ info: String = "", _ payload: [UInt8] = []) {
        rpc.send(id, "a.S.m", info: info, payload)
        exchange()
    }

    /// Answers a call.
    func answer(
        _ id: Int32,
        _ fields: [(String, String)] = [(":status", "200"), ("content-type", "application/grpc")],
        _ body: [UInt8]? = nil, trailers: [(String, String)]? = [("grpc-status", "0")]
    ) {
        let stream = HTTP2StreamID(rawValue: id)
        var headers = HTTP2Headers()
        for (name, value) in fields { headers.add(name, value) }
        if let body {
            var last = HTTP2Headers()
            for (name, value) in trailers ?? [] { last.add(name, value) }
            events.bodies[stream] = .init(
                body, end: trailers == nil ? .end : .endWithTrailers(last))
        }
        server.headers(headers, on: stream, endsStream: body == nil)
        exchange()
    }
}
