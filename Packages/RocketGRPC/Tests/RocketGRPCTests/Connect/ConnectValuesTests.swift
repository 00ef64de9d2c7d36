import RocketBase
import RocketCodec
import RocketHTTP2
import SwiftProtobuf
import Testing

@testable import RocketGRPC

@Suite("Values of Connect's protocol")
struct ConnectValuesTests {
    @Test(
        "Types of content are told apart, in any case and with parameters",
        arguments: [
            ("application/json", ConnectContentType.unary(.json)),
            ("Application/JSON", .unary(.json)),
            ("application/json; charset=utf-8", .unary(.json)),
            ("application/json;charset=\"UTF-8\"; x=1", .unary(.json)),
            ("application/json ;", .unary(.json)), ("application/proto", .unary(.proto)),
            ("application/connect+json", .stream(.json)),
            ("application/connect+proto", .stream(.proto)),
            ("application/json; charset=latin1", nil), ("application/json; charset", nil),
            ("application/jsonx", nil), ("text/plain", nil), ("application/xml", nil), ("", nil),
            ("application/grpc", nil), ("application/x-www-form-urlencoded", nil),
        ] as [(String, ConnectContentType?)])
    func contentType(text: String, type: ConnectContentType?) {
        #expect(withBytes(text) { ConnectContentType($0) } == type)
    }

    @Test(
        "Each code has the name and the status of Connect's table",
        arguments: [
            (RPCErrorCode.cancelled, "canceled", 499), (.unknown, "unknown", 500),
            (.invalidArgument, "invalid_argument", 400),
            (.deadlineExceeded, "deadline_exceeded", 504), (.notFound, "not_found", 404),
            (.alreadyExists, "already_exists", 409), (.permissionDenied, "permission_denied", 403),
            (.resourceExhausted, "resource_exhausted", 429),
            (.failedPrecondition, "failed_precondition", 400), (.aborted, "aborted", 409),
            (.outOfRange, "out_of_range", 400), (.unimplemented, "unimplemented", 501),
            (.internal, "internal", 500), (.unavailable, "unavailable", 503),
            (.dataLoss, "data_loss", 500), (.unauthenticated, "unauthenticated", 401),
            (.methodNotFound, "unimplemented", 501), (.failedSerialize, "internal", 500),
            (.peerClosed, "unavailable", 503), (RPCErrorCode(rawValue: 7), "unknown", 500),
            (RPCErrorCode(rawValue: -1), "unknown", 500),
        ] as [(RPCErrorCode, String, Int)])
    func codes(code: RPCErrorCode, name: String, status: Int) {
        #expect(ConnectCode(code).name == name && ConnectCode(code).httpStatus == status)
    }

    @Test("An error is JSON as the specification has it")
    func error() {
        func text(_ failure: WireFailure, _ details: [RPCErrorDetail] = []) -> String {
            String(decoding: ConnectError.body(failure, details), as: UTF8.self)
        }
        #expect(text(WireFailure(.unavailable, "")) == #"{"code":"unavailable"}"#)
        // The example of the specification, without `debug`.
        #expect(
            text(
                WireFailure(.unavailable, "overloaded: back off and retry"),
                [
                    RPCErrorDetail(
                        typeURL: "type.googleapis.com/google.rpc.RetryInfo",
                        value: [0x0A, 0x02, 0x08, 0x3C])
                ])
                == #"{"code":"unavailable","message":"overloaded: back off and retry","#
                + #""details":[{"type":"google.rpc.RetryInfo","value":"CgIIPA"}]}"#)
        #expect(
            text(WireFailure(.notFound, "a\"b\\c\n\r\t\u{1}é"))
                == #"{"code":"not_found","message":"#
                + #""a\"b\\c\n\r\t\u0001é"}"#)
    }

    @Test("An error of a stream is an end of one, of the length that its prefix says")
    func endOfStream() {
        let error = #"{"error":{"code":"unavailable","message":"overloaded"}}"#
        #expect(
            ConnectError.endOfStream(WireFailure(.unavailable, "overloaded"))
                == [2, 0, 0, 0, UInt8(error.utf8.count)] + [UInt8](error.utf8))
    }

    @Test("Trailing metadata is behind a prefix, and what belongs to the protocol is left out")
    func metadata() {
        var response = ConnectResponse(.json, [123, 125], encoding: "gzip")
        response.add(
            leading: ["x-a": "1", "connect-x": "2", "content-encoding": "br", "content-type": "y"],
            trailing: ["x-b": "3", "connect-y": "4", "te": "5"])
        #expect(
            response.headers
                == HTTP2Headers([
                    ":status": "200", "content-type": "application/json",
                    "content-encoding": "gzip", "content-length": "2", "x-a": "1",
                    "trailer-x-b": "3",
                ]))
    }
}
