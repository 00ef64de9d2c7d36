import RocketBase
import RocketCodec
import RocketCompression
import RocketReactorTestKit
@_spi(Transport) import RocketRPC
import RocketTCP
import Testing

@testable import RocketGRPC

@Suite("A server's connection of HTTP/1.1 with calls of Connect")
struct HTTP1ConnectionTests {
    private static let ok =
        "HTTP/1.1 200 OK|content-type: application/json|content-length: 8||\"1.500s\""

    @Test("JSON becomes the frame of the same call of gRPC, and its reply JSON")
    func unary() throws {
        let rig = try HTTP1Rig()
        rig.receive(
            HTTP1Rig.post(
                "\"7\"", "Connect-Timeout-MS: 5000", "X-A: b c", "Connection: keep-alive",
                "Keep-Alive: x", "Expect: 100-continue"))
        #expect(
            rig.rpc.takeFrames() == ["1 a.S.unary rkm1 timeout-ms=5000 x-a=b%20c | \u{8}\u{7}"])
        #expect(rig.sent() == "HTTP/1.1 100 Continue||")
        rig.answer(info: "rkm1\nlimit=8192\nx-i=1\ntrailing-x-t=2\n")
        #expect(
            rig.sent() == "HTTP/1.1 200 OK|content-type: application/json|content-length: 8|x-i: 1"
                + "|trailer-x-t: 2||\"1.500s\"")
        #expect(rig.below.closed == nil && rig.connection.exchange == nil)
        #expect(rig.below.handlerBytes == 0)
    }

    @Test("A request that follows is taken when the one before it is answered")
    func pipelined() throws {
        let rig = try HTTP1Rig()
        rig.receive(HTTP1Rig.post() + HTTP1Rig.post("\"8\"") + "PUT")
        #expect(rig.rpc.takeFrames() == ["1 a.S.unary rkm1 | \u{8}\u{7}"])
        rig.answer()
        #expect(rig.sent() == Self.ok)
        #expect(rig.rpc.takeFrames() == ["2 a.S.unary rkm1 | \u{8}\u{8}"])
        rig.below.isWritable = false
        rig.answer("2")
        #expect(rig.sent() == Self.ok)
        rig.receive(" / HTTP/1.1\r\nHost: x\r\n\r\n")
        // The client does not read: nothing more is answered.
        #expect(rig.sent() == "")
        rig.below.isWritable = true
        rig.connection.writabilityChanged(rig.below, isWritable: true)
        rig.loop.tickUntilIdle()
        #expect(rig.sent() == "HTTP/1.1 405 Method Not Allowed|allow: POST|content-length: 0||")
    }

    @Test("A client that closes during a call has given it up; after it, the connection ends")
    func clientGone() throws {
        let rig = try HTTP1Rig()
        rig.receive(HTTP1Rig.post())
        rig.connection.inputEnded(rig.below)
        #expect(rig.below.closed == .peerFinished)
        rig.connection.closed(rig.below, reason: .peerFinished)
        #expect(rig.rpc.takeEvents() == ["closed: \(CloseReason.peerFinished)"])
        let other = try HTTP1Rig()
        other.receive(HTTP1Rig.post())
        other.answer()
        other.connection.inputEnded(other.below)
        #expect(other.sent() == Self.ok && other.below.closed == .peerFinished)
    }

    @Test("The connection ends where the client wants it, behind the response")
    func close() throws {
        let rig = try HTTP1Rig()
        rig.receive(HTTP1Rig.post("\"7\"", "Connection: close") + HTTP1Rig.post())
        rig.answer()
        #expect(rig.sent().contains("|connection: close||\"1.500s\""))
        #expect(rig.below.closed == .requested && rig.rpc.takeFrames().count == 1)
    }

    @Test("What is wrong with a request is an error of that request, and the connection goes on")
    func refused() throws {
        var configuration = GRPCServerConfiguration()
        configuration.compression = Compression([.gzip])
        let rig = try HTTP1Rig(configuration, maxFrameBytes: 4096)
        let long = String(repeating: " ", count: 5000)
        let cases: [(String, String, String)] = [
            (HTTP1Rig.post("x"), "400", "invalid_argument"),
            (HTTP1Rig.post(""), "400", "the body is empty"),
            (HTTP1Rig.post(long), "413", "resource_ex"),
            (HTTP1Rig.post("1", "connect-protocol-version: 7"), "400", "invalid_argument"),
            (HTTP1Rig.post("1", "connect-timeout-ms: soon"), "400", "invalid_argument"),
            (HTTP1Rig.post("1", "content-encoding: br"), "501", "accept-encoding: gzip"),
            (HTTP1Rig.post("1", "content-encoding: gzip"), "400", "the body: "),
            (HTTP1Rig.post("1", path: "/a.S/server"), "415", "served by gRPC only"),
            (HTTP1Rig.post("1", path: "/a"), "501", "unimplemented"),
            (HTTP1Rig.post("1", "x: " + String(repeating: "a", count: 9000)), "431", "metadata"),
            (
                HTTP1Rig.post("1", type: "text/plain"), "415",
                "accept-post: application/json, application/proto|"
            ),
            (HTTP1Rig.post("1", type: "application/grpc"), "415", "accept-post: application/json"),
            (HTTP1Rig.post("1", type: "application/connect+json"), "200", "unimplemented"),
            ("GET /a.S/unary HTTP/1.1\r\nHost: x\r\n\r\n", "405", "allow: POST"),
            ("HEAD /a.S/unary HTTP/1.1\r\nHost: x\r\n\r\n", "405", "allow: POST"),
            ("OPTIONS * HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\n\r\n", "405", "allow: POST"),
        ]
        for (request, status, text) in cases {
            rig.receive(request)
            let response = rig.sent()
            #expect(response.hasPrefix("HTTP/1.1 \(status) "), "\(request): \(response)")
            #expect(response.contains(text), "\(request): \(response)")
            #expect(!response.contains("connection: close") && !response.contains("access-control"))
        }
        #expect(rig.rpc.takeFrames() == [] && rig.below.closed == nil)
        rig.receive(HTTP1Rig.post(path: "http://host/a.S/unary"))
        #expect(rig.rpc.takeFrames().count == 1)
    }

    @Test("The refusal of a body waits for its end up to twice the limit, or ends the connection")
    func tooLong() throws {
        let chunked = HTTP1Rig.post("", "Transfer-Encoding: chunked").replacing(
            "Content-Length: 0\r\n", with: "")
        let chunk = "3e8\r\n" + String(repeating: " ", count: 1000) + "\r\n"
        for count in [5, 9] {
            let rig = try HTTP1Rig(maxFrameBytes: 4096)
            rig.receive(chunked + String(repeating: chunk, count: count))
            if count == 5 {
                #expect(rig.sent() == "")
                rig.receive("0\r\n\r\n")
            }
            let response = rig.sent()
            #expect(response.hasPrefix("HTTP/1.1 413 "))
            #expect(response.contains("|connection: close|") == (count == 9))
            #expect((rig.below.closed != nil) == (count == 9))
        }
        let rig = try HTTP1Rig(maxFrameBytes: 4096)
        rig.receive(String(HTTP1Rig.post(String(repeating: " ", count: 9000)).dropLast(9000)))
        #expect(rig.status() == "413" && rig.below.closed != nil)
    }

    @Test("What is held of a body counts for the connection's memory")
    func heldBytes() throws {
        let rig = try HTTP1Rig()
        rig.receive(String(HTTP1Rig.post(String(repeating: " ", count: 9000)).dropLast(1000)))
        #expect(rig.below.handlerBytes > 8000)
        rig.receive(String(repeating: " ", count: 1000))
        #expect(rig.status() == "400" && rig.below.handlerBytes == 0)
    }

    @Test("A client that waits for 100 Continue gets a refusal at once, and sends no body")
    func expectation() throws {
        for (path, length, status) in [
            ("/a.S/unary", "5000", "413"), ("/a.S/server", "5", "415"), ("/a", "5", "501"),
        ] {
            let rig = try HTTP1Rig(maxFrameBytes: 4096)
            rig.receive(
                "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Expect: 100-continue\r\nContent-Length: \(length)\r\n\r\n")
            #expect(rig.sent().hasPrefix("HTTP/1.1 \(status) "))
            #expect(rig.below.closed == .requested)
        }
        // One that is known to the RPC side only.
        let rig = try HTTP1Rig()
        rig.receive(
            "POST /a.S/none HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        #expect(rig.rpc.takeFrames() == ["1 a.S.none rkm1"] && rig.sent() == "")
        rig.rpc.send("1", "a.S.none", code: .methodNotFound, info: "none")
        rig.loop.tickUntilIdle()
        #expect(rig.status() == "501" && rig.below.closed == .requested)
    }

    @Test("Bytes that are no request are answered by their status, and end the connection")
    func faults() throws {
        for (bytes, status) in [
            ("\u{2}\u{0}", "400"), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
            ("POST /" + String(repeating: "a", count: 16 << 10), "414"),
            (HTTP1Rig.post("", "a: b", "Content-Length: 5"), "400"),
        ] {
            let rig = try HTTP1Rig()
            rig.receive(bytes)
            let response = rig.sent()
            #expect(response.hasPrefix("HTTP/1.1 \(status) ") && response.hasSuffix("}"))
            #expect(response.contains("|connection: close|") && rig.below.closed != nil)
            rig.receive(HTTP1Rig.post())
            #expect(rig.sent() == "" && rig.rpc.takeFrames() == [])
        }
    }

    @Test("A drain ends the connection behind the response, or after a moment without a request")
    func drain() throws {
        let rig = try HTTP1Rig()
        rig.receive(HTTP1Rig.post())
        rig.connection.draining(rig.below)
        #expect(rig.rpc.takeEvents() == ["draining"])
        rig.loop.tick(after: .seconds(2))
        #expect(rig.below.closed == nil)
        rig.answer()
        #expect(rig.sent().contains("|connection: close|") && rig.below.closed == .drained)
        let idle = try HTTP1Rig()
        idle.rpc.send("", "rocket.goaway")
        idle.loop.tickUntilIdle()
        #expect(idle.below.closed == nil)
        idle.loop.tick(after: .seconds(2))
        #expect(idle.below.closed == .drained)
        // The RPC side ends the connection while a request is received.
        let late = try HTTP1Rig()
        late.receive(String(HTTP1Rig.post().dropLast(1)))
        late.connection.close(.afterFlush, reason: .drained)
        late.loop.tickUntilIdle()
        #expect(late.below.closed == .drained)
        #expect(late.status() == "503")
    }

    @Test("Requests and the time between them have limits")
    func time() throws {
        let rig = try HTTP1Rig()
        rig.receive("POST")
        rig.loop.tick(after: .seconds(29))
        rig.receive(" / HTTP/1.1\r\n")
        #expect(rig.below.closed == nil)
        rig.loop.tick(after: .seconds(2))
        rig.loop.tickUntilIdle()
        #expect(rig.status() == "408" && rig.below.closed != nil)
        let client = try HTTP1Rig()
        client.receive(String(HTTP1Rig.post("\"7\"", "connect-timeout-ms: 1000").dropLast(1)))
        client.loop.tick(after: .seconds(2))
        client.loop.tickUntilIdle()
        #expect(client.sent().contains("\"deadline_exceeded\"") && client.below.closed != nil)
        let idle = try HTTP1Rig()
        idle.receive(HTTP1Rig.post())
        // A call has the limits of calls.
        idle.loop.tick(after: .seconds(1000))
        #expect(idle.below.closed == nil)
        idle.answer()
        idle.loop.tick(after: .seconds(59))
        #expect(idle.below.closed == nil)
        idle.loop.tick(after: .seconds(2))
        #expect(idle.below.closed == .idleTimeout)
    }

    @Test("On a loopback address Host must name it; other names can be allowed")
    func hosts() throws {
        for (address, hosts, host, isAllowed) in [
            ("127.0.0.1:1", [], "localhost:1", true), ("127.0.0.1:1", [], "[::1]", true),
            ("127.0.0.1:1", [], "evil.example", false), ("[::1]:1", [], "127.0.0.2:80", true),
            ("[::1]:1", ["api.example"], "API.example:1", true), ("[::1]:1", ["a"], "b", false),
            ("192.0.2.1:1", [], "evil.example", true), ("192.0.2.1:1", ["a"], "localhost", false),
            ("192.0.2.1:1", ["a"], "a", true), ("unix:/x", [], "any", true),
            ("unix:/x", ["a"], "any", false),
        ] as [(String, [String], String, Bool)] {
            let rig = try HTTP1Rig(hosts: hosts, at: address)
            rig.receive(HTTP1Rig.post().replacing("Host: x", with: "Host: \(host)"))
            #expect(rig.rpc.takeFrames().isEmpty != isAllowed, "\(address) \(hosts) \(host)")
            #expect((rig.status() == "421") != isAllowed)
        }
    }

    @Test("A reply that must not be compressed is not")
    func uncompressed() throws {
        var configuration = GRPCServerConfiguration()
        configuration.compression = Compression([.gzip])
        let long = [UInt8](repeating: 7, count: 1000)
        for compressing in [true, false] {
            let rig = try HTTP1Rig(configuration)
            rig.receive(
                HTTP1Rig.post("\u{8}\u{7}", type: "application/proto", "accept-encoding: gzip"))
            rig.rpc.send("1", "a.S.unary", compressing: compressing, long)
            rig.loop.tickUntilIdle()
            #expect(rig.sent().contains("content-encoding: gzip") == compressing)
        }
    }
}
