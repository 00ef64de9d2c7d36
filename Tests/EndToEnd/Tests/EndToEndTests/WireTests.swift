import EndToEndKit
import Testing

/// order_server against raw sockets: its replies, and the isolation of connections.
struct WireTests {
    @Test("Replies to the golden request with a well-formed frame with its msg_id and an order id")
    func golden() throws {
        let server = try OrderServerProcess(in: Workspace())
        let connection = try RawConnection(port: server.port)
        try connection.send(TinyPBBytes.goldenRequest)
        let reply = try #require(try connection.receiveFrame())
        #expect(reply.messageID == "99998888")
        #expect(reply.method == "Order.makeOrder")
        #expect(reply.errorCode == 0)
        #expect(reply.text(2) == "OK")
        let id = try #require(reply.text(3))
        #expect(id.allSatisfy { ("0"..."9").contains($0) } && id.count >= 18)
        #expect(server.stop(closing: connection).status == 0)
    }

    @Test("Replies to a request that arrives byte by byte")
    func byteByByte() throws {
        let server = try OrderServerProcess(in: Workspace())
        let connection = try RawConnection(port: server.port)
        for byte in TinyPBBytes.goldenRequest { try connection.send([byte]) }
        #expect(try connection.receiveFrame()?.text(2) == "OK")
        #expect(server.stop(closing: connection).status == 0)
    }

    @Test("1,000 calls in flight on one connection all get their own replies")
    func thousandInFlight() throws {
        let server = try OrderServerProcess(in: Workspace())
        let connection = try RawConnection(port: server.port)
        let ids = (0..<1000).map { "call-\($0)" }
        try connection.send(
            ids.flatMap {
                TinyPBBytes("Order.makeOrder", id: $0, payload: TinyPBBytes.applePayload).bytes
            })
        var answered: Set<String> = []
        var orders: Set<String> = []
        for _ in ids {
            let reply = try #require(try connection.receiveFrame())
            #expect(reply.errorCode == 0)
            answered.insert(reply.messageID)
            orders.insert(try #require(reply.text(3)))
        }
        #expect(answered == Set(ids))
        #expect(orders.count == 1000)
        #expect(server.stop(closing: connection).status == 0)
    }

    @Test(
        "Replies with an error to an invalid call in a valid frame, and serves the next call",
        arguments: [
            ("Unknown.makeOrder", TinyPBBytes.applePayload, 10_000_008),
            ("Order.noSuchMethod", TinyPBBytes.applePayload, 10_000_009),
            ("makeOrder", TinyPBBytes.applePayload, 10_000_010),
            (".makeOrder", TinyPBBytes.applePayload, 10_000_010),
            ("Order.", TinyPBBytes.applePayload, 10_000_010),
            ("", TinyPBBytes.applePayload, 10_000_010),
            ("Order.makeOrder", [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], 10_000_003),
        ] as [(String, [UInt8], Int32)])
    func wrongCalls(method: String, payload: [UInt8], code: Int32) throws {
        let server = try OrderServerProcess(in: Workspace())
        let connection = try RawConnection(port: server.port)
        try connection.send(TinyPBBytes(method, id: "7", payload: payload).bytes)
        let refusal = try #require(try connection.receiveFrame())
        #expect(refusal.messageID == "7")
        #expect(refusal.errorCode == code)
        #expect(!refusal.errorInfo.isEmpty && refusal.errorInfo.count <= 511)

        try connection.send(TinyPBBytes.goldenRequest)
        #expect(try connection.receiveFrame()?.errorCode == 0)
        #expect(server.stop(closing: connection).status == 0)
    }

    @Test(
        "Invalid bytes close their connection with one log line and affect no other",
        arguments: [
            Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8),
            TinyPBBytes.unhex("02 7fffffff 00000008"),
            TinyPBBytes.unhex("02 ffffffff 00000008"),
            TinyPBBytes.unhex("02 0000001a 7fffffff 00000000 00000000 00000000 00000001 03"),
            Array(TinyPBBytes.goldenRequest.dropLast()) + [4],
        ])
    func garbage(bytes: [UInt8]) throws {
        let server = try OrderServerProcess(in: Workspace())
        let other = try RawConnection(port: server.port)
        try other.send(TinyPBBytes.goldenRequest)
        _ = try other.receiveFrame()

        let invalid = try RawConnection(port: server.port)
        let peer = "127.0.0.1:\(invalid.localPort)"
        try invalid.send(bytes)
        // A reply with FAILED_DECODE may come first if the length of the frame was valid.
        while let reply = try invalid.receiveFrame() { #expect(reply.errorCode == 10_000_006) }

        try other.send(TinyPBBytes.goldenRequest)
        #expect(try other.receiveFrame()?.errorCode == 0)
        #expect(server.stop(closing: other, invalid).status == 0)
        let lines = server.workspace.logLines().filter {
            $0.contains(peer) && ($0.hasPrefix("[WARN]") || $0.hasPrefix("[ERROR]"))
        }
        #expect(lines.count == 1, "\(lines)")
    }

    @Test("Refusals of the order service are normal responses")
    func refusals() throws {
        let server = try OrderServerProcess(in: Workspace())
        let connection = try RawConnection(port: server.port)
        // price 9, goods "apple"
        let cheap = TinyPBBytes.unhex("0809 12056170706c65")
        try connection.send(TinyPBBytes("Order.makeOrder", id: "1", payload: cheap).bytes)
        let reply = try #require(try connection.receiveFrame())
        #expect(reply.errorCode == 0)
        #expect(reply.text(2) == "short balance")
        #expect(reply.text(3) == nil)
        #expect(server.stop(closing: connection).status == 0)
    }

    @Test("The same idempotency key makes one order")
    func idempotency() throws {
        let server = try OrderServerProcess(in: Workspace())
        let info = Array("rkm1\nidempotency-key=raw-1\n".utf8)
        var orders: Set<String?> = []
        for number in 0..<3 {
            let connection = try RawConnection(port: server.port)
            let request = TinyPBBytes(
                "Order.makeOrder", id: "\(number)", payload: TinyPBBytes.applePayload, info: info)
            try connection.send(request.bytes)
            orders.insert(try connection.receiveFrame()?.text(3))
            connection.finish()
        }
        #expect(orders.count == 1 && !orders.contains(nil))
        #expect(server.stop().status == 0)
    }
}
