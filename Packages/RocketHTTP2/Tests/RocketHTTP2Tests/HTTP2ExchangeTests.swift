import RocketHTTP2
import RocketHTTP2TestKit
import Testing

let requestHeaders = HTTP2Headers([
    ":method": "POST", ":scheme": "http", ":path": "/p.S/M", ":authority": "localhost",
])
let okHeaders = HTTP2Headers([":status": "200"])
let okTrailers = HTTP2Headers(["grpc-status": "0"])

extension HTTP2Pair {
    /// Makes the server answer each request with its own bytes and trailers.
    func echo() {
        serverEvents.onInputEnded = { [unowned self] stream in
            let bytes = serverEvents.received[stream] ?? []
            serverEvents.bodies[stream] = .init(bytes, end: .endWithTrailers(okTrailers))
            server.headers(okHeaders, on: stream, endsStream: false)
            server.consumed(bytes.count, on: stream)
        }
    }

    /// Sends a request with a body.
    func call(_ bytes: [UInt8], _ headers: HTTP2Headers = requestHeaders) throws -> HTTP2StreamID {
        let stream = try client.request(headers, endsStream: false)
        clientEvents.bodies[stream] = .init(bytes)
        return stream
    }
}

@Suite struct HTTP2ExchangeTests {
    @Test(
        "A request and its response arrive wherever their bytes are torn",
        arguments: [1, 2, 3, 8, 9, 10, 23, 24, 25, 100, Int.max])
    func unary(part: Int) throws {
        let pair = try HTTP2Pair()
        pair.part = part
        pair.echo()
        let stream = try pair.call(Array("hello".utf8))
        try pair.exchange()
        #expect(
            pair.serverEvents.events == [
                "settings", "headers of 1", ":method: POST", ":scheme: http", ":path: /p.S/M",
                ":authority: localhost", "end of headers of 1", "data of 1", "end of 1",
                "closed 1: NO_ERROR",
            ])
        #expect(
            pair.clientEvents.events == [
                "settings", "headers of 1", ":status: 200", "end of headers of 1", "data of 1",
                "headers of 1", "grpc-status: 0", "end of headers of 1", "end of 1",
                "closed 1: NO_ERROR",
            ])
        #expect(pair.clientEvents.received[stream] == Array("hello".utf8))
        #expect(pair.client.openStreams == 0 && pair.server.openStreams == 0)
    }
}
