import RocketBase
import RocketCodec
import Testing

@testable import RocketGRPC

@Suite("The header fields of a request")
struct RequestHeadTests {
    private static let valid = [
        (":method", "POST"), (":scheme", "http"), (":path", "/a.S/m"), ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]

    /// The fields of a valid request, with `changes` in place of those of the same name.
    private func end(
        _ head: inout RequestHead, _ changes: [(String, String?)] = []
    ) -> RequestHead.Refusal? {
        head.begin()
        var fields: [(String, String?)] = Self.valid.map { ($0.0, $0.1) }
        for change in changes {
            fields.removeAll { $0.0 == change.0 }
            fields.append(change)
        }
        for case let (name, value?) in fields {
            withBytes(name) { name in withBytes(value) { head.add(name, $0) } }
        }
        let refusal = head.end()
        head.writeBlock()
        return refusal
    }

    @Test("A request without metadata has a name and no block")
    func plain() {
        var head = RequestHead(MessageEncodings())
        #expect(end(&head) == nil)
        #expect(head.methodName.text == "a.S.m")
        #expect(head.block.text == "rkm1\n")
        #expect(head.encoding == .identity)
    }

    @Test("Time-out and metadata are in the block, and nothing is left of the request before")
    func block() {
        var head = RequestHead(MessageEncodings(["gzip"]))
        let fields = [
            ("x-a", "1"), ("grpc-timeout", "5S"), ("grpc-encoding", "gzip"),
            ("grpc-accept-encoding", "gzip"),
        ]
        #expect(end(&head, fields) == nil)
        #expect(head.block.withBytes { MetadataBlock.timeoutMilliseconds($0) } == 5000)
        #expect(head.block.withBytes { MetadataBlock.read($0) }?["x-a"] == "1")
        #expect(head.encoding == .number(0) && head.accepted.best == .number(0))
        #expect(end(&head) == nil)
        #expect(head.block.text == "rkm1\n" && head.encoding == .identity)
        #expect(head.accepted.best == .identity)
        #expect(end(&head, [("x-a", "1")]) == nil)
        #expect(head.block.text == "rkm1\nx-a=1\n")
        head.writeBlock(stream: "b", window: 65_536)
        #expect(head.block.text == "rkm1\nstream=b\nwindow=65536\nx-a=1\n")
    }

    @Test("A request that is none of gRPC is answered by a status of HTTP")
    func http() {
        var head = RequestHead(MessageEncodings())
        #expect(end(&head, [(":method", "GET")]) == .http(405))
        #expect(end(&head, [("content-type", "text/html")]) == .http(415))
        #expect(end(&head, [("content-type", nil)]) == .http(415))
        #expect(end(&head, [("content-type", "application/grpc+json")]) == .http(415))
    }

    @Test("An invalid request of gRPC is answered by a status of gRPC")
    func statuses() {
        var head = RequestHead(MessageEncodings(["gzip"]))
        let cases: [(String, String?, RPCErrorCode)] = [
            (":path", "/a", .unimplemented), (":scheme", "ftp", .internal),
            ("te", nil, .internal), ("te", "gzip", .internal),
            ("grpc-timeout", "5", .internal), ("grpc-encoding", "br", .unimplemented),
        ]
        for (name, value, code) in cases {
            guard case .status(let failure)? = end(&head, [(name, value)]) else {
                Issue.record("\(name) is accepted")
                continue
            }
            #expect(failure.code == code)
        }
        #expect(
            end(&head, [("grpc-encoding", "br")])
                == .status(
                    WireFailure(
                        .unimplemented,
                        "the grpc-encoding 'br' is not supported; supported are identity,gzip")))
    }
}
