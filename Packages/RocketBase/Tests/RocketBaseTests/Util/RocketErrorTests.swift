import RocketBase
import Testing

@Suite struct RocketErrorTests {
    struct Underneath: Error, CustomStringConvertible { let description = "disk full" }

    @Test("The description contains code, message, cause and context")
    func description() {
        let error = RocketError(.internal, "can't save", cause: Underneath())
            .adding("method", "Order.makeOrder").adding("peer", "127.0.0.1:80")
        #expect(
            "\(error)"
                == "INTERNAL: can't save: disk full (method=Order.makeOrder peer=127.0.0.1:80)")
    }

    @Test("The first context value of a key is kept")
    func contextKeys() {
        let error = RocketError(.cancelled, "x").adding("peer", "a").adding("peer", "b")
            .adding("method", "")
        #expect(error.context.map(\.value) == ["a"])
        #expect(error.context("method") == "")
    }

    @Test("An error has details, which added context keeps")
    func details() {
        let detail = RPCErrorDetail(typeURL: "type.googleapis.com/google.rpc.ErrorInfo", value: [1])
        #expect(detail.messageName == "google.rpc.ErrorInfo")
        #expect(RPCErrorDetail(typeURL: "a.B", value: []).messageName == "a.B")
        #expect(RPCErrorDetail(typeURL: "a/", value: []).messageName == "")
        let error = RocketError(.notFound, "no order", details: [detail]).adding("peer", "a")
        #expect(error.details == [detail])
        #expect(RocketError(.notFound, "no order").details.isEmpty)
        #expect("\(error)" == "NOT_FOUND: no order (peer=a)")
    }

    @Test("Each error code of the wire format has its name")
    func codeNames() {
        let names: [(Int32, String)] = [
            (10_000_000, "ERROR_PEER_CLOSED"), (10_000_001, "ERROR_FAILED_CONNECT"),
            (10_000_002, "ERROR_FAILED_GET_REPLY"), (10_000_003, "ERROR_FAILED_DESERIALIZE"),
            (10_000_004, "ERROR_FAILED_SERIALIZE"), (10_000_005, "ERROR_FAILED_ENCODE"),
            (10_000_006, "ERROR_FAILED_DECODE"), (10_000_007, "ERROR_RPC_CALL_TIMEOUT"),
            (10_000_008, "ERROR_SERVICE_NOT_FOUND"), (10_000_009, "ERROR_METHOD_NOT_FOUND"),
            (10_000_010, "ERROR_PARSE_SERVICE_NAME"), (10_000_011, "ERROR_RPC_CHANNEL_INIT"),
            (10_000_012, "ERROR_RPC_PEER_ADDR"), (10_000_100, "CANCELLED"),
            (10_000_101, "UNAVAILABLE"), (10_000_102, "RESOURCE_EXHAUSTED"),
            (10_000_103, "UNAUTHENTICATED"), (10_000_104, "PERMISSION_DENIED"),
            (10_000_105, "INTERNAL"), (10_000_106, "INVALID_ARGUMENT"), (10_000_107, "NOT_FOUND"),
            (10_000_108, "ALREADY_EXISTS"), (10_000_109, "FAILED_PRECONDITION"),
            (10_000_110, "ABORTED"), (10_000_111, "OUT_OF_RANGE"), (10_000_112, "UNIMPLEMENTED"),
            (10_000_113, "DATA_LOSS"), (10_000_114, "UNKNOWN"), (10_000_115, "10000115"),
            (-1, "-1"), (7, "7"),
        ]
        for (value, name) in names { #expect(RPCErrorCode(rawValue: value).name == name) }
    }
}
