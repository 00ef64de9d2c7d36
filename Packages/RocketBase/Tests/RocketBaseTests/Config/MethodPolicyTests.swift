import RocketBase
import Testing

@Suite struct MethodPolicyTests {
    func xml(_ text: String) -> String {
        """
        <root><stubs><rpc_server><name>order</name><port>1</port>
        <method_policies>\(text)</method_policies></rpc_server></stubs></root>
        """
    }

    @Test("Parses policies per method, and writes them as they are read")
    func policies() throws {
        let config = try load(
            xml(
                "shop.v1.Order.getOrder timeout_ms=500  idempotent=true hedge=true,"
                    + " Order.q max_attempts=1 hedge=false"))
        let policies = try #require(config.stubs.first).methodPolicies
        try #require(policies.count == 2)
        #expect(policies[0].method == "shop.v1.Order.getOrder")
        #expect(policies[0].timeout == .milliseconds(500) && policies[0].maxAttempts == nil)
        #expect(policies[0].isIdempotent == true && policies[0].hedges == true)
        #expect(policies[1].method == "Order.q" && policies[1].maxAttempts == 1)
        #expect(policies[1].isIdempotent == nil && policies[1].hedges == false)
        let text = try #require(
            config.entries.first { $0.path.hasSuffix("method_policies") }?.text)
        #expect(try load(xml(text)).stubs.first?.methodPolicies == policies)
    }

    @Test(
        "Rejects text that is not a method's policy",
        arguments: [
            "Order.makeOrder", "makeOrder hedge=true", ".x hedge=true", "x. hedge=true",
            "a.b hedges=true", "a.b hedge", "a.b hedge=", "a.b hedge=yes", "a.b timeout_ms=0",
            "a.b timeout_ms=1s", "a.b max_attempts=0", "a.b max_attempts=101",
            "a.b hedge=true hedge=true", "a.b idempotent=1",
            "a.b hedge=true, a.c hedge=true, a.b max_attempts=2",
        ])
    func invalid(_ text: String) {
        #expect(throws: ConfigError.self) { try load(xml(text)) }
    }
}
