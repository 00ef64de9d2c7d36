import RocketBase
import RocketCodec
import Testing

@testable import RocketGRPC

@Suite("The header fields of a request of Connect")
struct ConnectFieldsTests {
    private func end(
        _ head: inout RequestHead, _ fields: [(String, String)]
    ) -> RequestHead.Refusal? {
        head.begin()
        for (name, value) in [(":method", "POST"), (":path", "/a.S/m")] + fields {
            withBytes(name) { name in withBytes(value) { head.add(name, $0) } }
        }
        let refusal = head.end()
        head.writeBlock()
        return refusal
    }

    private static let json = ("content-type", "application/json")

    @Test("A request needs a type of content only, and its fields are metadata")
    func plain() {
        var head = RequestHead(MessageEncodings(["zstd", "gzip"]), servesConnect: true)
        #expect(end(&head, [Self.json]) == nil)
        #expect(head.connect == .unary(.json) && head.block.text == "rkm1\n")
        #expect(head.methodName.text == "a.S.m" && head.encoding == .identity)
        #expect(head.responseEncoding == .identity)
        let fields = [
            ("accept", "*/*"), ("accept-encoding", "gzip"), ("connect-timeout-ms", "5000"),
            ("connect-protocol-version", "1"), ("connect-x", "1"), ("content-encoding", "zstd"),
            ("content-length", "2"), ("grpc-timeout", "1S"), ("x-a", "b c"), Self.json,
        ]
        #expect(end(&head, fields) == nil)
        #expect(head.block.text == "rkm1\ntimeout-ms=5000\naccept=%2A%2F%2A\nx-a=b%20c\n")
        #expect(head.encoding == .number(0) && head.responseEncoding == .number(1))
        // Nothing is left for the next one.
        #expect(end(&head, [("content-type", "application/proto")]) == nil)
        #expect(head.connect == .unary(.proto) && head.block.text == "rkm1\n")
        #expect(head.encoding == .identity && head.responseEncoding == .identity)
    }

    @Test(
        "The first encoding that the client names and the server has is the response's",
        arguments: [
            ("gzip, zstd", 1), ("zstd,gzip", 0), ("br, deflate, gzip;q=1.0, zstd;q=0.5", 1),
            ("gzip;q=0, zstd", 0), ("gzip; q=0.0 , zstd", 0), ("gzip;q=0.5", 1), ("br", nil),
            ("", nil), ("identity, gzip", nil), ("*", nil), (",,gzip", 1),
        ] as [(String, Int?)])
    func accepted(list: String, number: Int?) {
        var head = RequestHead(MessageEncodings(["zstd", "gzip"]), servesConnect: true)
        #expect(end(&head, [("accept-encoding", list), Self.json]) == nil)
        #expect(head.responseEncoding == number.map { .number($0) } ?? .identity)
    }

    @Test("A client without accept-encoding reads what it sends")
    func inferred() {
        var head = RequestHead(MessageEncodings(["zstd", "gzip"]), servesConnect: true)
        #expect(end(&head, [("content-encoding", "gzip"), Self.json]) == nil)
        #expect(head.responseEncoding == .number(1))
    }

    @Test(
        "Invalid fields are an error of Connect",
        arguments: [
            ("connect-protocol-version", "2", RPCErrorCode.invalidArgument),
            ("connect-timeout-ms", "x", .invalidArgument),
            ("connect-timeout-ms", "12345678901", .invalidArgument),
            ("connect-timeout-ms", "", .invalidArgument),
            ("connect-timeout-ms", "-1", .invalidArgument),
            ("content-encoding", "br", .unimplemented),
        ])
    func invalid(name: String, value: String, code: RPCErrorCode) {
        var head = RequestHead(MessageEncodings(["zstd", "gzip"]), servesConnect: true)
        guard case .status(let failure)? = end(&head, [(name, value), Self.json]) else {
            Issue.record("\(name) is accepted")
            return
        }
        #expect(failure.code == code && head.connect == .unary(.json))
        if name == "content-encoding" { #expect(failure.text.contains("identity,zstd,gzip")) }
    }

    @Test("A request of gRPC has these fields as metadata")
    func grpc() {
        var head = RequestHead(MessageEncodings(["gzip"]), servesConnect: true)
        let fields = [
            ("accept-encoding", "identity"), ("connect-timeout-ms", "x"),
            ("content-encoding", "br"), (":scheme", "http"), ("te", "trailers"),
            ("content-type", "application/grpc"), ("x-a", "1"),
        ]
        #expect(end(&head, fields) == nil)
        #expect(head.connect == nil)
        #expect(
            head.block.text
                == "rkm1\nx-a=1\naccept-encoding=identity\nconnect-timeout-ms=x\ncontent-encoding=br\n"
        )
    }

    @Test("Without Connect its requests are refused as any other type")
    func off() {
        var head = RequestHead(MessageEncodings(["gzip"]))
        #expect(end(&head, [Self.json]) == .http(415))
        #expect(end(&head, [(":method", "GET"), Self.json]) == .http(405))
    }

    @Test("Fields of Connect have the limit of metadata")
    func limit() {
        var head = RequestHead(MessageEncodings(["gzip"]), servesConnect: true)
        let long = String(repeating: "a", count: 9000)
        for name in ["connect-x", "x"] {
            guard case .status(let failure)? = end(&head, [(name, long), Self.json]) else {
                Issue.record("\(name) is accepted")
                continue
            }
            #expect(failure.code == .resourceExhausted)
        }
    }
}
