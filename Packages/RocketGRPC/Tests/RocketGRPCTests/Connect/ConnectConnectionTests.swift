import RocketBase
import RocketBaseTestKit
import RocketCodec
import RocketCompression
import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactorTestKit
@_spi(Transport) import RocketRPC
import SwiftProtobuf
import Testing

@testable import RocketGRPC

/// The rig's unary method takes an Int64Value and returns a Duration.
@Suite("A server's connection with calls of Connect")
struct ConnectConnectionTests {
    private static let json: [(String, String?)] = [
        ("content-type", "application/json"), ("te", nil),
    ]
    private static let proto: [(String, String?)] = [
        ("content-type", "application/proto"), ("te", nil),
    ]
    /// A duration of 1.5 s.
    private static let reply: [UInt8] = [8, 1, 16, 0x80, 0xCA, 0xB5, 0xEE, 1]

    private func text(_ rig: ServerRig, _ id: HTTP2StreamID) -> String {
        String(decoding: rig.events.received[id] ?? [], as: UTF8.self)
    }

    /// The status and the body of the response.
    private func answer(_ rig: ServerRig, _ id: HTTP2StreamID) -> String {
        let status = rig.takeEvents().first { $0.hasPrefix(":status: ") } ?? "no status"
        return status.dropFirst(9) + " " + text(rig, id)
    }

    @Test("JSON becomes the frame of the same call of gRPC, and its reply JSON")
    func unary() throws {
        let rig = try ServerRig()
        let id = try rig.request(
            "/a.S/unary", [UInt8](#""7""#.utf8),
            Self.json + [("connect-timeout-ms", "5000"), ("x-a", "b c")])
        #expect(
            rig.rpc.takeFrames() == ["1 a.S.unary rkm1 timeout-ms=5000 x-a=b%20c | \u{8}\u{7}"])
        #expect(rig.takeEvents() == [])
        rig.rpc.send(
            "1", "a.S.unary", info: "rkm1\nlimit=8192\nx-i=1\ntrailing-x-t=2\n", Self.reply)
        rig.exchange()
        #expect(
            rig.takeEvents() == [
                "headers of 1", ":status: 200", "content-type: application/json",
                "content-length: 8", "x-i: 1", "trailer-x-t: 2", "end of headers of 1",
                "data of 1", "end of 1", "closed 1: NO_ERROR",
            ])
        #expect(text(rig, id) == #""1.500s""#)
        #expect(rig.connection.streams.count == 0 && rig.connection.heldBytes == 0)
    }

    @Test("Protobuf is passed on as it is; an empty body is an empty message")
    func proto() throws {
        let rig = try ServerRig()
        for (number, body) in [(1, [8, 7]), (3, nil), (5, [])] as [(Int, [UInt8]?)] {
            let id = try rig.request("/a.S/unary", body, Self.proto)
            let payload = body == [8, 7] ? " | \u{8}\u{7}" : ""
            #expect(rig.rpc.takeFrames() == ["\(number) a.S.unary rkm1" + payload])
            rig.rpc.send("\(number)", "a.S.unary", body == nil ? [] : [1, 2])
            rig.exchange()
            let events = rig.takeEvents()
            #expect(events.contains("content-type: application/proto"))
            #expect(events.last == "closed \(number): NO_ERROR")
            #expect(rig.events.received[id] ?? [] == (body == nil ? [] : [1, 2]))
        }
    }

    @Test("An error is JSON with its status, details and trailing metadata, whatever the codec")
    func error() throws {
        let rig = try ServerRig()
        let id = try rig.request("/a.S/unary", [8, 7], Self.proto)
        var status = ErrorStatus(code: 5, message: "none")
        status.details = [RPCErrorDetail(typeURL: "type.googleapis.com/a.B", value: [1])]
        status.trailingMetadata = ["x-t": "1"]
        var payload = ByteBuffer()
        try status.write(to: &payload)
        rig.rpc.send("1", "a.S.unary", code: .notFound, info: "none", payload.copyBytes())
        rig.exchange()
        let events = rig.takeEvents()
        #expect(events.contains("content-type: application/json"))
        #expect(events.contains("trailer-x-t: 1") && events.contains(":status: 404"))
        #expect(
            text(rig, id) == #"{"code":"not_found","message":"none","#
                + #""details":[{"type":"a.B","value":"AQ"}]}"#)
        // A code that Connect has not.
        let other = try rig.request("/a.S/unary", [UInt8]("1".utf8), Self.json)
        rig.rpc.send("3", "a.S.unary", code: RPCErrorCode(rawValue: 7), info: "x")
        rig.exchange()
        #expect(rig.takeEvents().contains("rocket-code: 7"))
        #expect(text(rig, other) == #"{"code":"unknown","message":"x"}"#)
    }

    @Test("What is wrong with a request is an error of that request, and the connection goes on")
    func refused() throws {
        var configuration = GRPCServerConfiguration()
        configuration.compression = Compression([.gzip])
        let rig = try ServerRig(configuration, maxFrameBytes: 4096)
        let long = [UInt8](repeating: 0x20, count: 5000)
        let cases: [(String, [UInt8]?, [(String, String?)], String, String)] = [
            ("/a.S/unary", [UInt8]("x".utf8), [], "400", "invalid_argument"),
            ("/a.S/unary", nil, [], "400", "the body is empty"),
            ("/a.S/unary", [], [], "400", "the body is empty"),
            ("/a.S/unary", long, [], "429", "resource_exhausted"),
            ("/a.S/unary", [1], [("connect-protocol-version", "7")], "400", "invalid_argument"),
            ("/a.S/unary", [1], [("connect-timeout-ms", "soon")], "400", "invalid_argument"),
            ("/a.S/unary", [1], [("content-encoding", "br")], "501", "supported are identity,gzip"),
            ("/a.S/unary", [1, 2, 3], [("content-encoding", "gzip")], "400", "the body: "),
            ("/a.S/server", [1], [], "415", "served by gRPC only"),
            ("/a.S/both", [1], [("content-type", "application/proto")], "415", "unimplemented"),
            ("/a", [1], [], "501", "unimplemented"),
            ("/a.S/rocket.x", [1], [], "501", "unimplemented"),
            ("/a.S/unary", [1], [("x-a", String(repeating: "a", count: 9000))], "429", "metadata"),
            ("/a.S/unary", [1], [("content-type", "text/plain")], "415", ""),
            ("/a.S/unary", [1], [(":method", "PUT")], "405", ""),
            ("/a.S/unary", nil, [(":method", "GET")], "405", ""),
            ("/a.S/unary", nil, [(":method", "OPTIONS")], "405", ""),
        ]
        for (path, body, fields, status, text) in cases {
            let changed = Self.json.filter { field in !fields.contains { $0.0 == field.0 } }
            let id = try rig.request(path, body, changed + fields)
            let answer = answer(rig, id)
            #expect(answer.hasPrefix(status + " "), "\(path) \(fields): \(answer)")
            let found = text.split(separator: "|").contains { answer.contains($0) }
            #expect(text.isEmpty || found, "\(path) \(fields): \(answer)")
        }
        #expect(rig.rpc.takeFrames() == [])
        #expect(rig.connection.streams.count == 0 && rig.connection.heldBytes == 0)
        try rig.request("/a.S/unary", [UInt8]("1".utf8), Self.json)
        #expect(rig.rpc.takeFrames().count == 1)
    }

    @Test("The refusal of a type or a method says what would be taken")
    func hints() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", [1], [("content-type", "text/plain")])
        #expect(
            rig.takeEvents().contains(
                "accept-post: application/json, application/proto, application/grpc"))
        try rig.request("/a.S/unary", nil, [(":method", "GET")])
        #expect(rig.takeEvents().contains("allow: POST"))
        try rig.request("/a.S/client", [1], Self.json)
        #expect(rig.takeEvents().contains("accept-post: application/grpc"))
    }

    @Test("A request of Connect's streams gets the end of such a stream, with an error")
    func streams() throws {
        let rig = try ServerRig()
        for codec in ["json", "proto"] {
            let id = try rig.request(
                "/a.S/both", [0, 0, 0, 0, 2, 123, 125],
                [("content-type", "application/connect+\(codec)"), ("te", nil)])
            let events = rig.takeEvents()
            #expect(events.contains(":status: 200"))
            #expect(events.contains("content-type: application/connect+\(codec)"))
            let body = rig.events.received[id] ?? []
            #expect(body.prefix(4) == [2, 0, 0, 0] && Int(body[4]) == body.count - 5)
            #expect(text(rig, id).contains(#"{"error":{"code":"unimplemented""#))
        }
        #expect(rig.rpc.takeFrames() == [] && rig.connection.streams.count == 0)
    }

    @Test("A method that is not known is passed on without a body, and at once")
    func unknown() throws {
        let rig = try ServerRig()
        let id = try rig.request("/a.S/none", [UInt8]("{".utf8), ends: false, Self.json)
        #expect(rig.rpc.takeFrames() == ["1 a.S.none rkm1"])
        rig.rpc.send("1", "a.S.none", code: .methodNotFound, info: "no method")
        rig.exchange()
        // Some clients lose a response that comes while they are sending.
        #expect(rig.takeEvents() == [])
        rig.send(id, [0x7D], ends: true)
        #expect(answer(rig, id) == #"501 {"code":"unimplemented","message":"no method"}"#)
        #expect(rig.connection.streams.count == 0)
    }

    @Test("A body that comes in parts is counted; a reset cancels what has been passed on")
    func cancelled() throws {
        let rig = try ServerRig()
        let id = try rig.request("/a.S/unary", [UInt8](#"" "#.utf8), ends: false, Self.json)
        #expect(rig.rpc.takeFrames() == [] && rig.connection.heldBytes > 0)
        rig.client.reset(id, .cancel)
        rig.exchange()
        #expect(rig.rpc.takeFrames() == [] && rig.connection.heldBytes == 0)
        let other = try rig.request("/a.S/unary", [UInt8]("1".utf8), Self.json)
        #expect(rig.rpc.takeFrames().count == 1)
        rig.client.reset(other, .cancel)
        rig.exchange()
        #expect(rig.rpc.takeFrames() == ["3 rocket.cancel"])
        // Its reply comes too late.
        rig.rpc.send("3", "a.S.unary", Self.reply)
        rig.exchange()
        #expect(rig.connection.streams.count == 0 && rig.connection.heldBytes == 0)
    }

    @Test("A request that has not arrived before its deadline is deadline_exceeded")
    func deadline() throws {
        let rig = try ServerRig()
        let id = try rig.request(
            "/a.S/unary", [UInt8]("1".utf8), ends: false,
            Self.json + [("connect-timeout-ms", "100")])
        rig.loop.clock.advance(by: .milliseconds(200))
        rig.exchange()
        #expect(answer(rig, id).hasPrefix(#"504 {"code":"deadline_exceeded""#))
        #expect(rig.rpc.takeFrames() == [])
    }

    @Test("Bodies are compressed both ways, but not replies that switch it off, and short ones")
    func compression() throws {
        var configuration = GRPCServerConfiguration()
        configuration.compression = Compression([.gzip])
        let rig = try ServerRig(configuration)
        let compressor = Compression([.gzip]).makeCompressor()
        var request = ByteBuffer()
        try compressor.compress(
            [UInt8](#""7""#.utf8).span.bytes, encoding: 0, into: &request)
        let message = [UInt8](repeating: 7, count: 1000)
        for (compresses, isLong) in [(true, true), (false, true), (true, false)] {
            let id = try rig.request(
                "/a.S/unary", isLong ? request.copyBytes() : [UInt8]("7".utf8),
                [("content-type", isLong ? "application/json" : "application/proto")]
                    + (isLong ? [("content-encoding", "gzip")] : [("accept-encoding", "gzip")]))
            #expect(rig.rpc.takeFrames().count == 1)
            // JSON of a response that is no message of its type is INTERNAL.
            rig.rpc.send(
                "\(id.rawValue)", "a.S.unary", compressing: compresses,
                isLong ? message : [1, 2, 3])
            rig.exchange()
            let events = rig.takeEvents()
            #expect(events.contains("content-encoding: gzip") == false)
            #expect(events.contains(isLong ? ":status: 500" : ":status: 200"))
        }
        let fields = [("content-type", "application/proto"), ("accept-encoding", "br, gzip")]
        for compresses in [true, false] {
            let id = try rig.request("/a.S/unary", [8, 7], fields)
            rig.rpc.send("\(id.rawValue)", "a.S.unary", compressing: compresses, message)
            rig.exchange()
            #expect(rig.takeEvents().contains("content-encoding: gzip") == compresses)
            let body = rig.events.received[id] ?? []
            var plain = ByteBuffer()
            if compresses {
                try compressor.decompress(
                    body.span.bytes, encoding: 0, into: &plain, atMost: 2000)
            }
            #expect((compresses ? plain.copyBytes() : body) == message)
        }
    }

    @Test("A body over the limit is dropped up to its end, or up to twice the limit")
    func long() throws {
        let rig = try ServerRig(maxFrameBytes: 4096)
        let id = try rig.request(
            "/a.S/unary", [UInt8](repeating: 0x20, count: 5000), ends: false, Self.json)
        #expect(rig.takeEvents() == [] && rig.connection.heldBytes < 100)
        rig.send(id, [0x20], ends: true)
        #expect(answer(rig, id).hasPrefix(#"429 {"code":"resource_exhausted""#))
        let other = try rig.request(
            "/a.S/unary", [UInt8](repeating: 0x20, count: 9000), ends: false, Self.json)
        #expect(answer(rig, other).hasPrefix(#"429 {"code":"resource_exhausted""#))
        #expect(rig.rpc.takeFrames() == [] && rig.connection.streams.count == 0)
    }

    @Test("A refusal waits for the end of the request, or for twice the limit of a body")
    func early() throws {
        let rig = try ServerRig(maxFrameBytes: 4096)
        for (fields, status) in [
            ([("content-type", "text/plain")], "415"), ([(":method", "PUT")], "405"),
            ([("content-type", "application/connect+json")], "200"),
        ] as [([(String, String?)], String)] {
            let id = try rig.request("/a.S/unary", [1], ends: false, fields)
            #expect(rig.takeEvents() == [])
            rig.send(id, [1], ends: true)
            let events = rig.takeEvents()
            #expect(events.contains(":status: \(status)"))
            #expect(events.last == "closed \(id.rawValue): NO_ERROR")
            try rig.request("/a.S/unary", [UInt8](repeating: 1, count: 9000), ends: false, fields)
            #expect(rig.takeEvents().contains(":status: \(status)"))
        }
        let id = try rig.request("/a.S/unary", [1], ends: false, [(":method", "PUT")])
        rig.client.reset(id, .cancel)
        rig.exchange()
        #expect(rig.rpc.takeFrames() == [] && rig.connection.streams.count == 0)
        #expect(rig.connection.heldBytes == 0)
    }

    @Test("A decompressed body has the limit of a body")
    func bomb() throws {
        var configuration = GRPCServerConfiguration()
        configuration.compression = Compression([.gzip])
        let rig = try ServerRig(configuration, maxFrameBytes: 4096)
        var bomb = ByteBuffer()
        let plain = [UInt8](repeating: 0x20, count: 1 << 20)
        try Compression([.gzip]).makeCompressor().compress(
            plain.span.bytes, encoding: 0, into: &bomb)
        let id = try rig.request(
            "/a.S/unary", bomb.copyBytes(), Self.json + [("content-encoding", "gzip")])
        #expect(answer(rig, id).hasPrefix(#"429 {"code":"resource_exhausted""#))
        #expect(rig.connection.heldBytes == 0)
    }

    @Test("A call that begins during a drain is unavailable")
    func draining() throws {
        let rig = try ServerRig()
        rig.rpc.send("", "rocket.goaway")
        rig.loop.tick()
        let id = try rig.request("/a.S/unary", [UInt8]("1".utf8), Self.json)
        rig.rpc.send("\(id.rawValue)", "a.S.unary", code: .unavailable, info: "draining")
        rig.exchange()
        let events = rig.takeEvents()
        #expect(events.contains(":status: 503") || events.contains("closed 1: REFUSED_STREAM"))
    }
}
