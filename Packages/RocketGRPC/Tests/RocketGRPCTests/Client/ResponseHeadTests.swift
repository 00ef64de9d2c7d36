import RocketBase
import RocketCodec
import Testing

@testable import RocketGRPC

@Suite("The header fields of a response")
struct ResponseHeadTests {
    private func read(_ head: inout ResponseHead, _ fields: [(String, String)]) {
        head.begin()
        for (name, value) in fields {
            withBytes(name) { name in withBytes(value) { head.add(name, $0) } }
        }
    }

    @Test("A response of gRPC is no failure, and its metadata is kept")
    func response() {
        var head = ResponseHead(MessageEncodings(["gzip"]))
        read(
            &head,
            [
                (":status", "200"), ("content-type", "application/grpc"), ("x-a", "1"),
                ("grpc-encoding", "gzip"),
            ])
        #expect(head.failure == nil && head.status == nil)
        #expect(head.encoding == .number(0))
        #expect(head.lines.text == "x-a=1\n")
    }

    @Test("Trailers have a status and a message")
    func trailers() {
        var head = ResponseHead(MessageEncodings())
        read(&head, [("grpc-status", "5"), ("grpc-message", "no%20%C3%A9"), ("x-t", "2")])
        #expect(head.status == 5 && head.message == "no é")
        #expect(head.lines.text == "x-t=2\n")
        read(&head, [("grpc-status", "five")])
        #expect(head.status == 2 && head.message == "" && head.lines.isEmpty)
    }

    @Test("What is no response of gRPC is a failure by its HTTP status")
    func failures() {
        var head = ResponseHead(MessageEncodings())
        let cases: [([(String, String)], RPCErrorCode)] = [
            ([], .internal), ([(":status", "404")], .unimplemented),
            ([(":status", "503"), ("content-type", "text/html")], .failedGetReply),
            ([(":status", "200"), ("content-type", "text/html")], .unknown),
            ([(":status", "200")], .unknown),
            (
                [
                    (":status", "200"), ("content-type", "application/grpc"),
                    ("grpc-encoding", "br"),
                ], .internal
            ),
        ]
        for (fields, code) in cases {
            read(&head, fields)
            #expect(head.failure?.code == code)
        }
        // A status of gRPC counts more than that of HTTP.
        read(
            &head, [(":status", "503"), ("content-type", "application/grpc"), ("grpc-status", "8")])
        #expect(head.failure == nil && head.status == 8)
    }
}
