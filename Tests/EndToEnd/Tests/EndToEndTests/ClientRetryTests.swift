import EndToEndKit
import Foundation
import Testing

/// order_client against a server that is not reachable or disconnects during a call. The test acts
/// as the server.
struct ClientRetryTests {
    /// Starts order_client with a request for an order of an apple.
    private func start(_ port: ReservedPort, _ more: [String] = []) throws -> ChildProcess {
        try ChildProcess(
            Programs.path("order_client"),
            [
                "make", "--price", "100", "--goods", "apple", "--to", "127.0.0.1:\(port.port)",
                "--timeout", "50s",
            ] + more)
    }

    /// Replies `res_info: "OK", order_id: "202611210000000001"` to the request.
    private func reply(to request: TinyPBBytes, on connection: RawConnection) throws {
        let id = Array("202611210000000001".utf8)
        let payload: [UInt8] = [0x12, 2, 0x4F, 0x4B, 0x1A, UInt8(id.count)] + id
        let frame = TinyPBBytes(request.method, id: request.messageID, payload: payload)
        try connection.send(frame.bytes)
    }

    private func key(of request: TinyPBBytes) -> String? {
        String(decoding: request.errorInfo, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("idempotency-key=") }.map(String.init)
    }

    @Test("Sends the same call again when the connection is lost before the reply")
    func lostConnection() throws {
        let port = try ReservedPort(isListening: true)
        let client = try start(port)
        var requests: [TinyPBBytes] = []
        for _ in 0..<2 {
            let lost = try port.accept()
            requests.append(try #require(try lost.receiveFrame()))
            lost.finish()
        }
        let last = try port.accept()
        let request = try #require(try last.receiveFrame())
        requests.append(request)
        // Everything but the remaining time is the same.
        #expect(Set(requests.map(\.messageID)).count == 1)
        #expect(key(of: request) != nil && Set(requests.map(key)).count == 1)
        #expect(requests.allSatisfy { $0.payload == TinyPBBytes.applePayload })
        try reply(to: request, on: last)
        let result = client.finish()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(result.output.contains("202611210000000001"), "\(result)")
    }

    @Test("Each order has its own idempotency key")
    func keysDiffer() throws {
        let port = try ReservedPort(isListening: true)
        let keys = try (0..<2).map { _ in
            let client = try start(port)
            let connection = try port.accept()
            let request = try #require(try connection.receiveFrame())
            try reply(to: request, on: connection)
            #expect(client.finish().status == 0)
            return try #require(key(of: request))
        }
        #expect(keys[0] != keys[1])
    }

    @Test("--wait waits for a server that starts later, at most for the time-out of the call")
    func waits() throws {
        let port = try ReservedPort(isListening: false)
        let waiting = try start(port, ["--wait"])
        // When this client has timed out, the other one, which started before it, is waiting.
        let to = "127.0.0.1:\(port.port)"
        let short = try Programs.run(
            "order_client", ["list", "--to", to, "--wait", "--timeout", "300ms"])
        #expect(short.isOneErrorLine, "\(short)")
        #expect(short.errors.contains("ERROR_RPC_CALL_TIMEOUT"), "\(short)")
        try port.beginListening()
        let connection = try port.accept()
        let request = try #require(try connection.receiveFrame())
        try reply(to: request, on: connection)
        let result = waiting.finish()
        #expect(result.status == 0, "\(result)")
        #expect(result.output.contains("202611210000000001"), "\(result)")
    }
}
