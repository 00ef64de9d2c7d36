import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import SwiftProtobuf
import Synchronization
import RocketReactorTestKit
import Testing

/// How a server handles bytes that no Rocket channel sends.
@Suite("Raw bytes", .ownThread)
struct RawWireTests {
    let kit = FrameKit()

    func frame(
        id: String = "99998888", _ method: String = "test.v1.Test.echo", info: String = "",
        payload: [UInt8] = []
    ) throws -> [UInt8] {
        try kit.frame(id: id, method, info: info, payload: payload)
    }

    func parse(_ bytes: [UInt8]) throws -> FrameKit.Answer { try kit.parse(bytes) }

    func echoed(_ text: String) throws -> [UInt8] { try kit.text(text) }

    @Test("A reply has the id and the method of its request")
    func replyFields() async throws {
        try await withServer { address in
            let client = try RawClient(address)
            client.send(try frame(payload: try echoed("hi")))
            let answer = try parse(client.receiveFrame())
            #expect(
                answer
                    == FrameKit.Answer(
                        id: "99998888", method: "test.v1.Test.echo",
                        code: RPCErrorCode(rawValue: 0), info: "", payload: try echoed("hi")))
        }
    }

    @Test("1,000 frames in one write are all answered")
    func manyFrames() async throws {
        try await withServer { address in
            let client = try RawClient(address)
            var bytes: [UInt8] = []
            for number in 0..<1000 { bytes += try frame(id: "\(number)") }
            client.send(bytes)
            for number in 0..<1000 {
                #expect(try parse(client.receiveFrame()).id == "\(number)")
            }
        }
    }

    @Test("A frame that arrives byte by byte is answered")
    func singleBytes() async throws {
        try await withServer { address in
            let client = try RawClient(address)
            for byte in try frame(payload: try echoed("slow")) { client.send([byte]) }
            #expect(try parse(client.receiveFrame()).payload == (try echoed("slow")))
        }
    }

    @Test("Every kind of invalid call is answered, and the next call succeeds")
    func invalidCalls() async throws {
        try await withServer { address in
            let client = try RawClient(address)
            let cases: [(String, [UInt8], RPCErrorCode)] = [
                ("nobody.echo", [], .serviceNotFound),
                ("test.v1.Test.nothing", [], .methodNotFound),
                ("nodot", [], .parseServiceName),
                ("test.v1.Test.", [], .parseServiceName),
                ("test.v1.Test.echo", [0xFF, 0xFF, 0xFF], .failedDeserialize),
            ]
            for (method, payload, code) in cases {
                client.send(try frame(method, payload: payload))
                let answer = try parse(client.receiveFrame())
                #expect(answer.code == code)
                #expect(answer.id == "99998888")
                #expect(answer.method == method)
                client.send(try frame(payload: try echoed("still")))
                #expect(try parse(client.receiveFrame()).payload == (try echoed("still")))
            }
        }
    }

    @Test("Invalid bytes close only the connection on which they arrive")
    func invalidBytes() async throws {
        try await withServer { address in
            let bad = try RawClient(address)
            let good = try RawClient(address)
            bad.send([UInt8]("GET / HTTP/1.1\r\n\r\n".utf8))
            #expect(bad.isAtEnd())
            good.send(try frame())
            #expect(try parse(good.receiveFrame()).code.rawValue == 0)
        }
    }

    @Test("A frame with an invalid end byte is answered before the connection closes")
    func wrongEndByte() async throws {
        try await withServer { address in
            let client = try RawClient(address)
            var bytes = try frame()
            bytes[bytes.count - 1] = 0
            client.send(bytes)
            let answer = try parse(client.receiveFrame())
            #expect(answer.id == "99998888")
            #expect(answer.code == .failedDecode)
            #expect(client.isAtEnd())
        }
    }

    @Test("A client that has half-closed its connection receives its replies")
    func halfClose() async throws {
        let service = TestService()
        try await withServer([service]) { address in
            let client = try RawClient(address)
            client.send(
                try frame("test.v1.Test.hold", payload: try Number(3).serializedBytes()))
            client.finish()
            await service.gate.arrived(1)
            service.gate.open()
            #expect(
                try parse(client.receiveFrame()).payload == (try Number(3).serializedBytes()))
            #expect(client.isAtEnd())
        }
    }

    @Test("A connection reset cancels the handlers of its calls")
    func connectionReset() async throws {
        let service = TestService()
        try await withServer([service]) { address in
            let client = try RawClient(address)
            client.send(try frame("test.v1.Test.never"))
            await service.gate.arrived(1)
            client.reset()
            // The handler's task is cancelled, and opens the gate itself.
            await service.gate.wait()
            #expect(service.gate.cancelled.withLock { $0 } == 1)
        }
    }

    @Test("A request whose deadline has passed is answered without running its handler")
    func expiredRequest() async throws {
        let service = TestService()
        service.gate.open()
        try await withServer([service]) { address in
            let client = try RawClient(address)
            client.send(try frame("test.v1.Test.never", info: "rkm1\ntimeout-ms=0\n"))
            #expect(try parse(client.receiveFrame()).code == .callTimeout)
            #expect(service.gate.arrivalCount == 0)
        }
    }

    @Test("An expired deadline is answered, and the handler is cancelled")
    func deadlineExpiry() async throws {
        let service = TestService()
        try await withServer([service]) { address in
            let client = try RawClient(address)
            client.send(try frame("test.v1.Test.never", info: "rkm1\ntimeout-ms=20\n"))
            let answer = try parse(client.receiveFrame())
            #expect(answer.code == .callTimeout)
            #expect(answer.id == "99998888")
            await service.gate.wait()
            let cancelled = service.gate.cancelled.withLock { $0 }
            #expect(cancelled == 1)
            client.send(try frame(payload: try echoed("on")))
            #expect(try parse(client.receiveFrame()).payload == (try echoed("on")))
        }
    }

    @Test("Metadata is transferred with requests and replies")
    func metadata() async throws {
        try await withServer { address in
            let client = try RawClient(address)
            client.send(
                try frame(
                    "test.v1.Test.describe", info: "rkm1\nx-sent=a%20b\ntimeout-ms=5000\n"))
            let answer = try parse(client.receiveFrame())
            #expect(answer.info == "rkm1\nlimit=8192\nx-seen=a%20b\n")
            #expect(try Text(serializedBytes: answer.payload).value.hasSuffix("8 true"))
        }
    }

    @Test("A response over the frame limit becomes an error, and the next call succeeds")
    func largeResponse() async throws {
        // The request has 55 bytes, its response more than 80.
        for (limit, keepsText) in [(80, false), (120, true)] {
            try await withServer {
                $0.codec = TinyPBCodec(maxFrameBytes: limit)
            } _: { address in
                let client = try RawClient(address)
                let long = try frame(payload: try echoed(String(repeating: "x", count: 20)))
                let tripled = try frame(
                    "test.v1.Test.triple", payload: try echoed(String(repeating: "x", count: 30)))
                client.send(keepsText ? tripled : try frame("test.v1.Test.describe"))
                let answer = try parse(client.receiveFrame())
                #expect(answer.code == .failedEncode)
                #expect(answer.info.hasPrefix("frame length") == keepsText)
                client.send(long)
                #expect(try parse(client.receiveFrame()).code.rawValue == 0)
            }
        }
    }
}
