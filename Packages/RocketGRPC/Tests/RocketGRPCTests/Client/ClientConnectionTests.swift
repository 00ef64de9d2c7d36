import RocketBase
import RocketCodec
import RocketCompression
import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactorTestKit
@_spi(Transport) @testable import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketGRPC

@Suite("A channel's connection of gRPC")
struct ClientConnectionTests {
    @Test("It is connected when the server's SETTINGS have come")
    func settings() throws {
        let rig = try ClientRig(settles: false)
        rig.loop.tick()
        #expect(rig.rpc.takeEvents() == [])
        rig.exchange()
        #expect(rig.rpc.takeEvents() == ["connected"])
        #expect(rig.rpc.takeFrames() == [" rocket.window | 1048576"])
    }

    @Test("Without SETTINGS in time, or with other bytes, connecting fails")
    func noSettings() throws {
        let rig = try ClientRig(settles: false)
        rig.loop.tick(after: .seconds(6))
        #expect(rig.below.closed != nil)
        rig.connection.closed(rig.below, reason: .requested)
        #expect(rig.failure?.code == .failedConnect)
        let other = try ClientRig(settles: false)
        other.receive([UInt8]("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        other.loop.tick()
        #expect(other.below.closed != nil)
        other.connection.closed(other.below, reason: .requested)
        #expect(other.failure?.code == .failedConnect)
        #expect(other.rpc.takeEvents() == [])
    }

    @Test("A frame becomes a request, and the response its reply")
    func unary() throws {
        var configuration = GRPCChannelConfiguration()
        configuration.authority = "orders"
        let rig = try ClientRig(configuration)
        rig.call("id7", "rkm1\ntimeout-ms=1500\nx-a=b%20c\nauthorization=Bearer%20x\n", [1, 2])
        #expect(
            rig.events.events == [
                "headers of 1", ":method: POST", ":scheme: http", ":path: /a.S/m",
                ":authority: orders", "te: trailers", "content-type: application/grpc",
                "user-agent: grpc-swift-rocket/1.0", "grpc-timeout: 1500m", "x-a: b c",
                "authorization: Bearer x", "end of headers of 1", "data of 1", "end of 1",
            ])
        #expect(rig.events.received[HTTP2StreamID(rawValue: 1)] == framed([1, 2]))
        rig.answer(
            1, [(":status", "200"), ("content-type", "application/grpc"), ("x-i", "1")],
            framed("AB"), trailers: [("grpc-status", "0"), ("x-t", "2")])
        #expect(rig.rpc.takeFrames() == ["id7  rkm1 x-i=1 trailing-x-t=2 | AB"])
        #expect(rig.connection.streams.count == 0 && rig.connection.streamBytes == 0)
        #expect(rig.events.closed[HTTP2StreamID(rawValue: 1)] == .noError)
    }

    @Test(
        "A server's report of its load is a line of the reply's block, and one that is none is not")
    func load() throws {
        let rig = try ClientRig()
        let value = OrcaLoad.encode(
            LoadLine(utilization: 0.5, callsPerSecond: 100, errorsPerSecond: 1))
        for (number, text, info) in [
            (1, value, " rkm1 load=0.5%20100%201"), (3, "AAAA", ""), (5, "é", ""),
        ] {
            rig.call("id\(number)", "rkm1\n", [1])
            rig.answer(
                Int32(number), [(":status", "200"), ("content-type", "application/grpc")],
                framed("AB"),
                trailers: [("grpc-status", "0"), (OrcaLoad.name, text), ("load", "1 1 1")])
            #expect(rig.rpc.takeFrames() == ["id\(number) \(info) | AB"])
        }
    }

    @Test("Requests are compressed, but those of calls that switch it off")
    func uncompressed() throws {
        var configuration = GRPCChannelConfiguration()
        configuration.compression = Compression([.gzip])
        configuration.compressesRequests = true
        let rig = try ClientRig(configuration)
        let message = [UInt8](repeating: 7, count: 1000)
        for (number, compresses) in [(1, true), (3, false), (5, true)] {
            rig.events.removeEvents()
            rig.rpc.send("\(number)", "a.S.m", info: "rkm1\n", compressing: compresses, message)
            rig.exchange()
            #expect(rig.events.events.contains("grpc-encoding: gzip") == compresses)
            #expect(rig.events.events.contains("grpc-accept-encoding: identity,gzip"))
            let body = rig.events.received[HTTP2StreamID(rawValue: Int32(number))]
            #expect(body?.first == (compresses ? 1 : 0))
            #expect((body == framed(message)) != compresses)
        }
        // Later messages of a stream that was opened so.
        rig.rpc.send("7", "a.S.m", info: "rkm1\nstream=c\nwindow=9\n", compressing: false)
        rig.rpc.send("7", "rocket.data", message)
        rig.exchange()
        #expect(rig.events.received[HTTP2StreamID(rawValue: 7)] == framed(message))
    }

    @Test("Errors: statuses of gRPC, exact codes, statuses of HTTP, no status")
    func errors() throws {
        let rig = try ClientRig()
        let ok = (":status", "200")
        let grpc = ("content-type", "application/grpc")
        let cases: [([(String, String)], String)] = [
            ([ok, grpc, ("grpc-status", "5"), ("grpc-message", "no%0A")], "NOT_FOUND no"),
            ([ok, grpc, ("grpc-status", "14")], "ERROR_FAILED_GET_REPLY"),
            ([ok, grpc, ("grpc-status", "14"), ("rocket-code", "10000101")], "UNAVAILABLE"),
            ([ok, grpc, ("grpc-status", "2"), ("rocket-code", "42")], "42"),
            ([ok, grpc, ("grpc-status", "3"), ("rocket-code", "42")], "INVALID_ARGUMENT"),
            ([ok, grpc, ("grpc-status", "99")], "UNKNOWN"),
            (
                [(":status", "503")],
                "ERROR_FAILED_GET_REPLY the server answered with HTTP status 503"
            ),
            ([(":status", "404")], "UNIMPLEMENTED the server answered with HTTP status 404"),
            ([ok, grpc], "UNKNOWN the response ended without a status"),
        ]
        for (index, (fields, expected)) in cases.enumerated() {
            rig.call("\(index)")
            rig.answer(Int32(2 * index + 1), fields)
            #expect(rig.rpc.takeFrames() == ["\(index)  \(expected)"])
        }
        #expect(rig.connection.streams.count == 0)
    }

    @Test("Responses that break gRPC's rules are errors, and their streams are reset")
    func broken() throws {
        let rig = try ClientRig()
        let headers = [(":status", "200"), ("content-type", "application/grpc")]
        rig.call("a")
        rig.answer(1, headers, framed("x"), trailers: nil)
        rig.call("b")
        rig.answer(3, headers, framed("x") + framed("y"))
        rig.call("c")
        rig.answer(5, headers, [0, 0, 0, 0, 9, 1])
        rig.call("d")
        rig.answer(7, headers, [])
        rig.call("e")
        rig.answer(9, headers, [7, 0, 0, 0, 0])
        #expect(
            rig.rpc.takeFrames().map { $0.split(separator: " ")[1] } == [
                "UNKNOWN", "UNIMPLEMENTED", "INTERNAL", "UNIMPLEMENTED", "INTERNAL",
            ])
        #expect(rig.connection.streams.count == 0)
    }

    @Test("Details and trailing metadata of an error are its pb_data")
    func details() throws {
        let rig = try ClientRig()
        rig.call("1")
        var status = ErrorStatus(code: 5, message: "m")
        status.details = [RPCErrorDetail(typeURL: "t/x", value: [1])]
        rig.answer(
            1,
            [
                (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5"),
                ("grpc-status-details-bin", StatusDetails.encode(status) ?? ""), ("x-t", "1"),
            ])
        let frames = rig.rpc.takeFrames()
        #expect(frames.count == 1 && frames[0].hasPrefix("1  NOT_FOUND | "))
    }

    @Test("Resets of the server are mapped; only REFUSED_STREAM says that the call was not begun")
    func resets() throws {
        let rig = try ClientRig()
        let cases: [(HTTP2ErrorCode, String)] = [
            (.refusedStream, "UNAVAILABLE"), (.cancel, "CANCELLED"),
            (.enhanceYourCalm, "RESOURCE_EXHAUSTED"), (.inadequateSecurity, "PERMISSION_DENIED"),
            (.internalError, "INTERNAL"), (.noError, "INTERNAL"),
        ]
        for (index, (code, name)) in cases.enumerated() {
            rig.call("\(index)")
            rig.server.reset(HTTP2StreamID(rawValue: Int32(2 * index + 1)), code)
            rig.exchange()
            #expect(rig.rpc.takeFrames().map { $0.split(separator: " ")[1] } == [Substring(name)])
        }
    }

    @Test("A cancel resets the stream, and its response is dropped")
    func cancel() throws {
        let rig = try ClientRig()
        rig.call("a")
        rig.rpc.send("a", "rocket.cancel")
        rig.exchange()
        #expect(rig.events.closed[HTTP2StreamID(rawValue: 1)] == .cancel)
        #expect(rig.rpc.takeFrames() == [])
        #expect(rig.connection.streams.count == 0)
    }

    @Test("Calls above the server's limit on streams wait; those that were not sent are sent again")
    func concurrency() throws {
        var limited = HTTP2Configuration()
        limited.concurrentStreams = 2
        let rig = try ClientRig(server: limited)
        for id in ["a", "b", "c", "d", "e"] { rig.call(id) }
        #expect(rig.server.openStreams == 2)
        rig.rpc.send("c", "rocket.cancel")
        rig.answer(1, [(":status", "200"), ("content-type", "application/grpc")], framed("x"))
        #expect(rig.rpc.takeFrames() == ["a  | x"])
        #expect(rig.server.openStreams == 2)
        rig.connection.closed(rig.below, reason: .peerReset)
        // The server may have seen b and d.
        #expect(rig.rpc.takeFrames().map { $0.prefix(14) } == ["e  UNAVAILABLE"])
    }

    @Test(
        "Calls that were given up while they waited hold no request, and in the end the connection")
    func givenUp() throws {
        var limited = HTTP2Configuration()
        limited.concurrentStreams = 1
        let rig = try ClientRig(server: limited)
        rig.call("a")
        let most = GRPCClientConnection.mostResetQueued
        for number in 0..<most {
            if number == most - 1 { #expect(rig.rpc.takeFrames() == []) }
            rig.rpc.send("\(number)", "a.S.m", Array(repeating: 1, count: 1000))
            rig.rpc.send("\(number)", "rocket.cancel")
        }
        #expect(rig.connection.streamBytes == 0 && rig.connection.requestBytes == 0)
        rig.exchange()
        #expect(rig.rpc.takeFrames() == [" rocket.goaway"])
        rig.call("b")
        #expect(rig.rpc.takeFrames() == ["b  UNAVAILABLE the connection takes no more calls"])
        rig.answer(1, [(":status", "200"), ("content-type", "application/grpc")], framed("x"))
        #expect(rig.rpc.takeFrames() == ["a  | x"])
        #expect(rig.connection.streams.count == 0)
    }

    @Test("Requests count as sent when the connection below has sent a byte of them")
    func sentBytes() throws {
        let rig = try ClientRig()
        let before = rig.connection.sentBytes
        rig.rpc.send("a", "a.S.m", [1])
        #expect(rig.connection.sentBytes == before)
        rig.loop.tick()
        #expect(rig.connection.sentBytes == before)
        rig.below.sentBytes += 1
        #expect(rig.connection.sentBytes > before)
    }

    @Test("Streams in both directions, with credit on both sides")
    func bidirectional() throws {
        let rig = try ClientRig()
        rig.call("s", "rkm1\nstream=b\nwindow=3\n")
        #expect(rig.rpc.takeFrames() == ["s rocket.window | 65536"])
        rig.rpc.send("s", "rocket.data", [UInt8]("one".utf8))
        rig.exchange()
        rig.rpc.send("s", "rocket.data", info: "end")
        rig.exchange()
        let id = HTTP2StreamID(rawValue: 1)
        #expect(rig.events.received[id] == framed("one"))
        #expect(rig.events.events.last == "end of 1")
        rig.answer(
            1, [(":status", "200"), ("content-type", "application/grpc"), ("x-i", "1")],
            framed("three"), trailers: [("grpc-status", "0"), ("x-t", "2")])
        // The reply waits for its messages, and they wait for credit.
        let first = rig.rpc.takeFrames()
        #expect(first == ["s rocket.headers rkm1 x-i=1", "s rocket.data more | thr"])
        rig.rpc.sendWindow("s", 100)
        rig.exchange()
        #expect(rig.rpc.takeFrames() == ["s rocket.data | ee", "s  rkm1 trailing-x-t=2"])
        #expect(rig.connection.streams.count == 0 && rig.connection.streamBytes == 0)
    }

    @Test("Names without a service and metadata that gRPC can't carry fail before they are sent")
    func unsendable() throws {
        let rig = try ClientRig()
        rig.rpc.send("a", "method")
        rig.rpc.send("b", "a.S.m", info: "rkm1\nx=%C3%A9\n")
        rig.exchange()
        #expect(
            rig.rpc.takeFrames().map { $0.split(separator: " ")[1] } == [
                "ERROR_PARSE_SERVICE_NAME", "ERROR_FAILED_ENCODE",
            ])
        #expect(rig.events.events == [])
    }
}
