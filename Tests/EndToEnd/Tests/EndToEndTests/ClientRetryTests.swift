import EndToEndKit
import Foundation
import Testing

/// What order_client does when the server is not there, or goes away in the middle of a call. The
/// server is played by the test.
struct ClientRetryTests {
    /// Makes order_client make an order of an apple.
    private func start(_ port: TakenPort, _ more: [String] = []) throws -> ChildProcess {
        try ChildProcess(
            Programs.path("order_client"),
            [
                "make", "--price", "100", "--goods", "apple", "--to", "127.0.0.1:\(port.port)",
                "--timeout", "50s",
            ] + more)
    }

    /// `res_info: "OK", order_id: "202611210000000001"` to that request.
    private func answer(_ request: TinyPBBytes, on connection: RawConnection) throws {
        let id = Array("202611210000000001".utf8)
        let payload: [UInt8] = [0x12, 2, 0x4F, 0x4B, 0x1A, UInt8(id.count)] + id
        let reply = TinyPBBytes(request.method, id: request.messageID, payload: payload)
        try connection.send(reply.bytes)
    }

    private func key(of request: TinyPBBytes) -> String? {
        String(decoding: request.errorInfo, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("idempotency-key=") }.map(String.init)
    }

    @Test("A connection lost in the middle of making an order: the same call is sent again")
    func lostConnection() throws {
        let port = try TakenPort(isListening: true)
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
        // All but what is left of its time.
        #expect(Set(requests.map(\.messageID)).count == 1)
        #expect(key(of: request) != nil && Set(requests.map(key)).count == 1)
        #expect(requests.allSatisfy { $0.payload == TinyPBBytes.applePayload })
        try answer(request, on: last)
        let ending = client.finish()
        #expect(ending.status == 0 && ending.errors.isEmpty, "\(ending)")
        #expect(ending.output.contains("202611210000000001"), "\(ending)")
    }

    @Test("Each of two orders has a key of its own")
    func keysDiffer() throws {
        let port = try TakenPort(isListening: true)
        let keys = try (0..<2).map { _ in
            let client = try start(port)
            let connection = try port.accept()
            let request = try #require(try connection.receiveFrame())
            try answer(request, on: connection)
            #expect(client.finish().status == 0)
            return try #require(key(of: request))
        }
        #expect(keys[0] != keys[1])
    }

    @Test("--wait waits for a server that comes later, and no longer than the call may take")
    func waits() throws {
        let port = try TakenPort(isListening: false)
        let patient = try start(port, ["--wait"])
        // This one has waited in vain when it ends, and the patient one began before it.
        let to = "127.0.0.1:\(port.port)"
        let brief = try Programs.run(
            "order_client", ["list", "--to", to, "--wait", "--timeout", "300ms"])
        #expect(brief.isOneClearLine, "\(brief)")
        #expect(brief.errors.contains("ERROR_RPC_CALL_TIMEOUT"), "\(brief)")
        try port.beginListening()
        let connection = try port.accept()
        let request = try #require(try connection.receiveFrame())
        try answer(request, on: connection)
        let ending = patient.finish()
        #expect(ending.status == 0, "\(ending)")
        #expect(ending.output.contains("202611210000000001"), "\(ending)")
    }
}
