import RocketBase
import Testing

@Suite struct MethodLimitTests {
    func xml(_ text: String) -> String {
        "<root><server><method_limits>\(text)</method_limits></server></root>"
    }

    @Test("Parses limits per method")
    func methodLimits() throws {
        let config = try load(
            xml(
                "shop.v1.Order.makeOrder max_request_bytes=4096  max_handler_time_ms=500,"
                    + " Order.q max_response_bytes=0"))
        let limits = config.server.methodLimits
        try #require(limits.count == 2)
        #expect(limits[0].method == "shop.v1.Order.makeOrder")
        #expect(limits[0].maxRequestBytes == 4096)
        #expect(limits[0].maxResponseBytes == nil)
        #expect(limits[0].maxHandlerTime == .milliseconds(500))
        #expect(limits[1].maxResponseBytes == 0)
        let text = try #require(
            config.entries.first { $0.path == "server/method_limits" }?.text)
        #expect(try load(xml(text)).server.methodLimits == limits)
    }

    @Test(
        "Rejects text that is not a method limit",
        arguments: [
            "Order.makeOrder", "makeOrder max_request_bytes=1", ".x max_request_bytes=1",
            "x. max_request_bytes=1", "a.b max_bytes=1", "a.b max_request_bytes",
            "a.b max_request_bytes=", "a.b max_request_bytes=-1",
            "a.b max_request_bytes=1 max_request_bytes=2", "a.b max_handler_time_ms=1s",
            "a.b max_response_bytes=9999999999",
        ])
    func invalidMethodLimits(_ text: String) {
        #expect(throws: ConfigError.self) { try load(xml(text)) }
    }
}
