import RocketBase
import RocketCodec
import RocketCompression
import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactorTestKit
@_spi(Transport) import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketGRPC

@Suite("A server's connection of gRPC")
struct ServerConnectionTests {
    @Test("A unary request becomes a frame, and its reply headers, data and trailers")
    func unary() throws {
        let rig = try ServerRig()
        let id = try rig.request(
            "/a.S/unary", framed("hello"), [("grpc-timeout", "5S"), ("x-a", "b c")])
        #expect(rig.rpc.takeFrames() == ["1 a.S.unary rkm1 timeout-ms=5000 x-a=b%20c | hello"])
        #expect(rig.takeEvents() == [])
        rig.rpc.send("1", "a.S.unary", info: "rkm1\nlimit=8192\nx-i=1\ntrailing-x-t=2\n", [65, 66])
        rig.exchange()
        #expect(
            rig.takeEvents() == [
                "headers of 1", ":status: 200", "content-type: application/grpc", "x-i: 1",
                "end of headers of 1", "data of 1", "headers of 1", "grpc-status: 0", "x-t: 2",
                "end of headers of 1", "end of 1", "closed 1: NO_ERROR",
            ])
        #expect(rig.events.received[id] == framed("AB"))
        #expect(rig.connection.streams.count == 0 && rig.connection.heldBytes == 0)
    }

    @Test("The load of a reply is a trailer, and no initial metadata")
    func load() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", framed("hello"), [("load", "mine")])
        #expect(rig.rpc.takeFrames() == ["1 a.S.unary rkm1 | hello"])
        rig.rpc.send("1", "a.S.unary", info: "rkm1\nload=0.5%202%200\n", [65])
        rig.exchange()
        let value = OrcaLoad.encode(
            LoadLine(utilization: 0.5, callsPerSecond: 2, errorsPerSecond: 0))
        #expect(
            rig.takeEvents() == [
                "headers of 1", ":status: 200", "content-type: application/grpc",
                "end of headers of 1", "data of 1", "headers of 1", "grpc-status: 0",
                "endpoint-load-metrics-bin: \(value)", "end of headers of 1", "end of 1",
                "closed 1: NO_ERROR",
            ])
    }

    @Test("An error is a response of one list of headers")
    func error() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", framed(""))
        rig.rpc.send("1", "a.S.unary", code: RPCErrorCode(rawValue: 7), info: "a%b")
        rig.exchange()
        #expect(
            rig.takeEvents() == [
                "headers of 1", ":status: 200", "content-type: application/grpc",
                "grpc-status: 2", "grpc-message: a%25b", "rocket-code: 7", "end of headers of 1",
                "end of 1", "closed 1: NO_ERROR",
            ])
    }

    @Test("Each call that fails gets its own error, also between others with the same one")
    func errors() throws {
        let rig = try ServerRig()
        let errors: [(RPCErrorCode, String)] = [
            (.unavailable, "busy"), (.unavailable, "busy"), (.unavailable, "too"),
            (.resourceExhausted, "too"), (.unavailable, ""), (.unavailable, "busy"),
        ]
        for (index, (code, text)) in errors.enumerated() {
            try rig.request("/a.S/unary", framed(""))
            rig.rpc.send("\(2 * index + 1)", "a.S.unary", code: code, info: text)
            rig.exchange()
            let events = rig.takeEvents()
            #expect(events.contains("grpc-status: \(code.grpcStatus)"))
            #expect(events.contains("grpc-message: \(text)") == !text.isEmpty)
            #expect(events.last == "closed \(2 * index + 1): NO_ERROR")
        }
        #expect(rig.connection.streams.count == 0 && rig.connection.heldBytes == 0)
    }

    @Test("What is no request of gRPC is answered by HTTP's status, and never passed on")
    func notGRPC() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", framed("x"), [("content-type", "text/plain")])
        #expect(rig.takeEvents().contains(":status: 415"))
        try rig.request("/a.S/unary", nil, [(":method", "GET")])
        #expect(rig.takeEvents().contains(":status: 405"))
        #expect(rig.rpc.takeFrames() == [])
        #expect(rig.connection.streams.count == 0)
    }

    @Test("Invalid requests of gRPC are answered by its status, each on its stream")
    func invalid() throws {
        let rig = try ServerRig()
        let cases: [(String, [(String, String?)], Int)] = [
            ("/a", [], 12), ("/a.S/unary", [("te", nil)], 13),
            ("/a.S/unary", [("grpc-timeout", "x")], 13),
            ("/a.S/unary", [("grpc-encoding", "br")], 12),
        ]
        for (path, fields, status) in cases {
            try rig.request(path, framed("x"), fields)
            let events = rig.takeEvents()
            #expect(events.contains("grpc-status: \(status)"))
            #expect(events.contains { $0.hasPrefix("closed") })
        }
        #expect(rig.rpc.takeFrames() == [])
        try rig.request("/a.S/unary", framed("x"))
        #expect(rig.rpc.takeFrames().count == 1)
    }

    @Test("Responses are compressed, but those of calls that switch it off")
    func uncompressed() throws {
        var configuration = GRPCServerConfiguration()
        configuration.compression = Compression([.gzip])
        let rig = try ServerRig(configuration)
        let message = [UInt8](repeating: 7, count: 1000)
        for compresses in [true, false, true] {
            let id = try rig.request("/a.S/unary", framed("x"), [("grpc-accept-encoding", "gzip")])
            _ = rig.takeEvents()
            rig.rpc.send("\(id.rawValue)", "a.S.unary", compressing: compresses, message)
            rig.exchange()
            #expect(rig.takeEvents().contains("grpc-encoding: gzip") == compresses)
            #expect((rig.events.received[id] == framed(message)) != compresses)
        }
        // A stream whose headers have been sent.
        let id = try rig.request("/a.S/server", framed("x"), [("grpc-accept-encoding", "gzip")])
        rig.rpc.send("\(id.rawValue)", "rocket.data", compressing: false, message)
        rig.rpc.send("\(id.rawValue)", "rocket.data", compressing: false, message)
        rig.exchange()
        #expect(!rig.takeEvents().contains("grpc-encoding: gzip"))
        #expect(rig.events.received[id] == framed(message) + framed(message))
    }

    @Test("A method that is not known is passed on without its message, and at once")
    func unknown() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/none", framed("x"), ends: false)
        #expect(rig.rpc.takeFrames() == ["1 a.S.none rkm1"])
    }

    @Test("Unary requests with another number of messages than one are UNIMPLEMENTED")
    func cardinality() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", framed("x") + framed("y"))
        #expect(rig.takeEvents().contains("grpc-status: 12"))
        try rig.request("/a.S/unary", nil)
        #expect(rig.takeEvents().contains("grpc-status: 12"))
        try rig.request("/a.S/unary", [0, 0, 0, 0, 9, 1])
        #expect(rig.takeEvents().contains("grpc-status: 13"))
        #expect(rig.rpc.takeFrames() == [])
        #expect(rig.connection.heldBytes == 0)
    }

    @Test("A message over the limit is RESOURCE_EXHAUSTED before it has arrived")
    func tooLarge() throws {
        let rig = try ServerRig(maxFrameBytes: 1000)
        try rig.request("/a.S/unary", [0, 0, 0, 4, 0], ends: false)
        #expect(rig.takeEvents().contains("grpc-status: 8"))
        #expect(rig.rpc.takeFrames() == [])
        // The rest of the request is not wanted.
        #expect(rig.events.closed.values.first == .noError)
    }

    @Test("Requests that have not arrived hold no more than the limit")
    func buffered() throws {
        var configuration = GRPCServerConfiguration()
        configuration.maxBufferedRequestBytes = 10_000
        let rig = try ServerRig(configuration)
        let part = Array(framed(Array(repeating: 1, count: 100_000)).prefix(6000))
        try rig.request("/a.S/unary", part, ends: false)
        #expect(rig.takeEvents() == [])
        #expect(rig.below.handlerBytes > 6000)
        try rig.request("/a.S/unary", part, ends: false)
        #expect(rig.takeEvents().contains("grpc-status: 8"))
        #expect(rig.connection.streams.count == 1)
    }

    @Test("A request that has not arrived before its deadline is DEADLINE_EXCEEDED")
    func late() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", [0], ends: false, [("grpc-timeout", "2S")])
        try rig.request("/a.S/unary", [0], ends: false, [("grpc-timeout", "1S")])
        try rig.request("/a.S/server", framed("x"), [("grpc-timeout", "1S")])
        try rig.request("/a.S/unary", [0], ends: false, [("grpc-timeout", "99999999H")])
        _ = rig.rpc.takeFrames()
        for (seconds, stream) in [(1, 3), (2, 1)] {
            #expect(rig.takeEvents() == [])
            rig.loop.tick(after: .seconds(1))
            rig.exchange()
            let events = rig.takeEvents()
            #expect(events.first == "headers of \(stream)" && events.contains("grpc-status: 4"))
            #expect(rig.connection.streams.count == 4 - seconds)
        }
        #expect(rig.rpc.takeFrames() == [])
    }

    @Test("A reset becomes a cancel, and a late reply is dropped")
    func reset() throws {
        let rig = try ServerRig()
        let id = try rig.request("/a.S/unary", framed("x"))
        _ = rig.rpc.takeFrames()
        rig.client.reset(id, .cancel)
        rig.exchange()
        #expect(rig.rpc.takeFrames() == ["1 rocket.cancel"])
        rig.rpc.send("1", "a.S.unary", [1])
        rig.exchange()
        #expect(rig.takeEvents() == ["closed 1: CANCEL"])
        // One that was not passed on is not cancelled.
        let second = try rig.request("/a.S/unary", [0], ends: false)
        rig.client.reset(second, .cancel)
        rig.exchange()
        #expect(rig.rpc.takeFrames() == [])
        #expect(rig.connection.streams.count == 0 && rig.connection.heldBytes == 0)
    }

    @Test("A stream of requests opens at once, and its messages wait for credit")
    func clientStreaming() throws {
        let rig = try ServerRig()
        let id = try rig.request("/a.S/client", framed("one"), ends: false)
        #expect(rig.rpc.takeFrames() == ["1 a.S.client rkm1 stream=c window=65536"])
        rig.rpc.sendWindow("1", 5)
        rig.exchange()
        #expect(rig.rpc.takeFrames() == ["1 rocket.data | one"])
        rig.send(id, framed("three"), ends: true)
        #expect(rig.rpc.takeFrames() == ["1 rocket.data more | th"])
        rig.rpc.sendWindow("1", 100)
        rig.exchange()
        #expect(rig.rpc.takeFrames() == ["1 rocket.data | ree", "1 rocket.data end"])
        rig.rpc.send("1", "a.S.client", [7])
        rig.exchange()
        #expect(rig.takeEvents().contains("grpc-status: 0"))
        // A later stream begins with the first limit.
        try rig.request("/a.S/client", framed("seven"), ends: false)
        #expect(
            rig.rpc.takeFrames() == [
                "3 a.S.client rkm1 stream=c window=65536", "3 rocket.data | seven",
            ])
    }

    @Test("DATA that waits for credit is no credit for the client")
    func flowControl() throws {
        var configuration = GRPCServerConfiguration()
        configuration.http2.streamWindowBytes = 20_000
        let rig = try ServerRig(configuration)
        let message = framed(Array(repeating: 1, count: 60_000))
        let id = try rig.request("/a.S/client", message, ends: false)
        #expect(rig.client.sendWindow(of: id) == 0)
        #expect(rig.connection.heldBytes < 20_001)
        rig.rpc.sendWindow("1", 100_000)
        rig.exchange()
        let frames = rig.rpc.takeFrames()
        #expect(frames.last?.hasPrefix("1 rocket.data |") == true)
        #expect(rig.connection.heldBytes == 0)
        #expect(rig.client.sendWindow(of: id) > 0)
    }

    @Test("Streams of responses: headers, messages in parts, trailers, and credit as they are sent")
    func serverStreaming() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/server", framed("q"))
        #expect(rig.rpc.takeFrames() == ["1 a.S.server rkm1 stream=s window=65536 | q"])
        rig.rpc.send("1", "rocket.headers", info: "rkm1\nx-i=1\n")
        rig.rpc.send("1", "rocket.data", info: "more", Array(repeating: 1, count: 40_000))
        rig.rpc.send("1", "rocket.data", Array(repeating: 2, count: 1000))
        rig.exchange()
        let events = rig.takeEvents()
        #expect(events.contains("x-i: 1") && events.contains("data of 1"))
        let id = HTTP2StreamID(rawValue: 1)
        #expect(rig.events.received[id]?.prefix(5) == [0, 0, 0, 0xA0, 0x28])
        #expect(rig.events.received[id]?.count == 41_005)
        #expect(rig.rpc.takeFrames().contains { $0.hasPrefix("1 rocket.window") })
        rig.rpc.send("1", "a.S.server", info: "rkm1\ntrailing-x-t=2\n")
        rig.exchange()
        #expect(
            rig.takeEvents() == [
                "headers of 1", "grpc-status: 0", "x-t: 2", "end of headers of 1", "end of 1",
                "closed 1: NO_ERROR",
            ])
    }

    @Test("A client that reads nothing holds back the RPC side, until it reads")
    func heldBack() throws {
        var small = HTTP2Configuration()
        small.streamWindowBytes = 1000
        let rig = try ServerRig(client: small)
        for stream in [1, 3] {
            try rig.request("/a.S/unary", framed("x"))
            rig.rpc.send("\(stream)", "a.S.unary", Array(repeating: 1, count: 200_000))
            rig.exchange()
        }
        #expect(rig.rpc.transport?.isWritable == false)
        #expect(rig.below.handlerBytes > 390_000)
        _ = rig.rpc.takeEvents()
        for stream in [1, 3] {
            let id = HTTP2StreamID(rawValue: Int32(stream))
            var read = 0
            while rig.events.closed[id] == nil, read < 300_000 {
                let bytes = (rig.events.received[id]?.count ?? 0) - read
                read += bytes
                rig.client.consumed(bytes, on: id)
                rig.exchange()
            }
            #expect(rig.events.received[id]?.count == 200_005)
        }
        #expect(rig.rpc.takeEvents() == ["writable true"])
        #expect(rig.rpc.transport?.isWritable == true)
    }

    @Test("Nothing is sent while the connection below is full")
    func belowIsFull() throws {
        let rig = try ServerRig()
        try rig.request("/a.S/unary", framed("x"))
        rig.below.isWritable = false
        #expect(!rig.rpc.send("1", "a.S.unary", [1]))
        rig.loop.tick()
        #expect(rig.below.pendingBytes == 0)
        rig.below.isWritable = true
        rig.connection.writabilityChanged(rig.below, isWritable: true)
        rig.exchange()
        #expect(rig.takeEvents().contains("grpc-status: 0"))
        #expect(rig.rpc.takeEvents() == ["writable true"])
    }

    @Test("Header fields over the limit are RESOURCE_EXHAUSTED")
    func largeHeaders() throws {
        let rig = try ServerRig()
        try rig.request(
            "/a.S/unary", framed("x"), [("x-large", String(repeating: "x", count: 20_000))])
        #expect(rig.takeEvents().contains("grpc-status: 8"))
        #expect(rig.rpc.takeFrames() == [])
    }
}
