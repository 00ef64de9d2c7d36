import RocketCodec
import Testing

@testable import RocketRPC

/// What a peer speaks that does not speak TinyPB.
@Suite("Foreign protocols")
struct ForeignProtocolTests {
    private static let start = FrameError(.startMarker, at: 0, found: 0, allowed: 2...2)

    private func client(_ bytes: [UInt8], _ error: FrameError = start) -> ForeignProtocol? {
        ForeignProtocol(ofClient: bytes.span.bytes, error)
    }

    private func server(_ bytes: [UInt8], _ error: FrameError = start) -> ForeignProtocol? {
        ForeignProtocol(ofServer: bytes.span.bytes, error)
    }

    @Test("A client is known by what it sends first")
    func clients() {
        #expect(client([UInt8]("PRI * HTTP/2.0\r\n\r\n".utf8)) == .http2)
        for method in ["GET /", "POST /a.B/c", "PUT /", "HEAD /", "CONNECT a:1"] {
            #expect(client([UInt8]("\(method) HTTP/1.1\r\n".utf8)) == .http1)
        }
        #expect(client([0x16, 3, 1, 2, 0, 1]) == .tls)
        #expect(client([0x16]) == .tls)
    }

    @Test("A server is known by what it sends first")
    func servers() {
        #expect(server([0, 0, 18, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]) == .http2)
        #expect(server([0, 0, 0, 4, 0, 0, 0, 0, 0]) == .http2)
        #expect(server([UInt8]("HTTP/1.1 400 Bad Request\r\n".utf8)) == .http1)
        #expect(server([0x15, 3, 3, 0, 2, 2, 10]) == .tls)
    }

    @Test("Other bytes, too few, and other errors say nothing")
    func others() {
        for bytes in [[], [0x50], [0], [0xFF], [0x16, 0], [0, 0, 18, 4, 1, 0, 0, 0, 0]] as [[UInt8]]
        {
            #expect(client(bytes) == nil && server(bytes) == nil)
        }
        #expect(client([UInt8]("PRI * HTTP/1".utf8)) == nil)
        #expect(server([0, 0, 17, 4, 0, 0, 0, 0, 0]) == nil)
        let later = FrameError(.endMarker, at: 20, found: 0x16, allowed: 3...3)
        #expect(client([0x16, 3, 1], later) == nil && server([0x15, 3, 3], later) == nil)
    }
}
