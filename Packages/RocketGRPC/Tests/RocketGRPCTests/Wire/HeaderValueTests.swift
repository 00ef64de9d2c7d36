import RocketBase
import Testing

@testable import RocketGRPC

@Suite("Values of header fields")
struct HeaderValueTests {
    @Test(
        "A time-out is parsed in each unit, rounded up to milliseconds",
        arguments: [
            ("1H", 3_600_000), ("99999999H", 359_999_996_400_000), ("2M", 120_000), ("3S", 3000),
            ("4m", 4), ("5u", 1), ("1000u", 1), ("1001u", 2), ("1n", 1), ("1000001n", 2), ("0m", 0),
            ("00000007S", 7000),
        ] as [(String, Int64)])
    func timeout(text: String, milliseconds: Int64) {
        #expect(withBytes(text) { GRPCTimeout.milliseconds($0) } == milliseconds)
    }

    @Test(
        "An invalid time-out is nil",
        arguments: [
            "", "1", "m", "1s", "1h", "-1m", "+1m", "1.5S", "123456789m", "1 m", "1mm", " 1m",
        ])
    func invalidTimeout(text: String) {
        #expect(withBytes(text) { GRPCTimeout.milliseconds($0) } == nil)
    }

    @Test(
        "A time-out is sent in at most eight digits, rounded up",
        arguments: [
            (0, "1m"), (-5, "1m"), (1, "1m"), (99_999_999, "99999999m"), (100_000_000, "100000S"),
            (100_000_001, "100001S"), (99_999_999_001, "1666667M"),
            (6_000_000_000_000, "1666667H"), (.max, "99999999H"),
        ] as [(Int64, String)])
    func sentTimeout(milliseconds: Int64, text: String) {
        #expect(GRPCTimeout.text(milliseconds: milliseconds) == text)
        let parsed = withBytes(text) { GRPCTimeout.milliseconds($0) } ?? 0
        #expect(parsed >= min(milliseconds, 359_999_996_400_000))
    }

    @Test(
        "A status message is percent-encoded and decoded",
        arguments: [
            ("plain text, ~!", "plain text, ~!"), ("100%", "100%25"), ("a\nb\tc", "a%0Ab%09c"),
            ("é☺", "%C3%A9%E2%98%BA"), ("", ""),
        ])
    func message(text: String, encoded: String) {
        #expect(StatusMessage.encode(text) == encoded)
        #expect(withBytes(encoded) { StatusMessage.decode($0) } == text)
    }

    @Test("An invalid escape stays as it is, and invalid UTF-8 is replaced")
    func invalidMessage() {
        #expect(withBytes("50% off%", StatusMessage.decode) == "50% off%")
        #expect(withBytes("%4", StatusMessage.decode) == "%4")
        #expect(withBytes("%zz%41", StatusMessage.decode) == "%zzA")
        #expect(withBytes("%ff!", StatusMessage.decode) == "\u{FFFD}!")
    }

    @Test(
        "A content type of gRPC is recognised",
        arguments: [
            ("application/grpc", true), ("application/grpc+proto", true),
            ("Application/GRPC", true), ("application/grpc; charset=utf-8", true),
            ("application/grpc+proto ;x=y", true), ("application/grpc+json", false),
            ("application/grpc-web", false), ("application/json", false), ("", false),
            ("application/grpcx", false), ("text/html", false),
        ])
    func contentType(value: String, isGRPC: Bool) {
        #expect(withBytes(value) { ContentType.isGRPC($0) } == isGRPC)
    }

    @Test("A path is translated to a method's name and back")
    func path() throws {
        var name = ByteBuffer()
        try withBytes("/a.b.Service/Method") { path throws(WireFailure) in
            try MethodPath.appendName(of: path, to: &name)
        }
        #expect(name.text == "a.b.Service.Method")
        #expect(name.withBytes { MethodPath.path(of: $0) } == "/a.b.Service/Method")
    }

    @Test(
        "Another path is UNIMPLEMENTED",
        arguments: ["", "/", "/a", "a/b", "/a/", "//b", "/a/b/c", "/a/b/", "*"])
    func invalidPath(path: String) {
        var name = ByteBuffer()
        #expect(throws: WireFailure.self) {
            try withBytes(path) { path throws(WireFailure) in
                try MethodPath.appendName(of: path, to: &name)
            }
        }
        #expect((name.isEmpty) == true)
        let long = "/" + String(repeating: "a", count: 600) + "/b"
        #expect(throws: WireFailure(.unimplemented, "the path has 603 bytes")) {
            try withBytes(long) { path throws(WireFailure) in
                try MethodPath.appendName(of: path, to: &name)
            }
        }
    }

    @Test("A name without a dot has no path", arguments: ["", "a", ".a", "a.", "."])
    func noPath(name: String) { #expect(withBytes(name) { MethodPath.path(of: $0) } == nil) }

    @Test("Encodings are found by name, and the best one of a list is chosen")
    func encodings() {
        let encodings = MessageEncodings(["zstd", "gzip"])
        #expect(encodings.text == "identity,zstd,gzip")
        #expect(withBytes("gzip") { encodings.find($0) } == .number(1))
        #expect(withBytes("identity") { encodings.find($0) } == .identity)
        #expect(withBytes("br") { encodings.find($0) } == nil)
        #expect(withBytes("identity, br,gzip , zstd") { encodings.accepted($0) }.best == .number(0))
        #expect(withBytes("gzip,") { encodings.accepted($0) }.best == .number(1))
        let none = withBytes("br") { encodings.accepted($0) }
        #expect(none.best == .identity)
        #expect(none.contains(.identity) && !none.contains(.number(0)))
    }

    @Test("Resets and HTTP statuses are mapped as gRPC prescribes")
    func codes() {
        let resets: [(UInt32, RPCErrorCode)] = [
            (0, .internal), (1, .internal), (2, .internal), (7, .unavailable), (8, .cancelled),
            (11, .resourceExhausted), (12, .permissionDenied), (99, .internal),
        ]
        for (reset, code) in resets { #expect(ResetCode.code(reset) == code) }
        #expect(ResetCode.name(8) == "CANCEL" && ResetCode.name(99) == "99")
        let statuses: [(Int, Int)] = [
            (400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (502, 14), (503, 14), (504, 14),
            (500, 2), (302, 2),
        ]
        for (status, code) in statuses { #expect(HTTPStatus.code(status).grpcStatus == code) }
    }
}
