import Testing

@testable import RocketGeneratorPlugin

@Suite("The service protocol")
struct ServerTemplateTests {
    private func piece(
        _ service: ServiceModel, level: AccessLevel = .public, names: RuntimeNames = Samples.names
    ) -> ServerTemplate {
        ServerTemplate(service: service, level: level, names: names)
    }

    @Test("has a requirement for each method, with the comments of the .proto")
    func hasARequirement() {
        #expect(
            piece(Samples.service(Samples.makeOrder)).declaration == [
                "/// Sells.",
                "public nonisolated protocol OrderService: RPCService {",
                "    /// Makes one order.",
                "    nonisolated(nonsending) func makeOrder(",
                "        _ request: Want, _ call: RPCController",
                "    ) async throws -> Bill",
                "}",
            ])
    }

    @Test("writes comments of its own where the .proto has none")
    func writesCommentsOfItsOwn() {
        var method = Samples.makeOrder
        method.comment = []
        var service = Samples.service(method)
        service.comment = []
        let lines = piece(service).declaration
        #expect(lines[0] == "/// Serves `shop.Order`: one function for each method.")
        #expect(lines[2] == "    /// Answers `shop.Order.makeOrder`.")
    }

    @Test("enters each method into a server's table")
    func entersEachMethod() {
        #expect(
            piece(Samples.service(Samples.makeOrder)).conveniences == [
                "extension OrderService {",
                "    /// The name on the wire: `shop.Order`.",
                "    public static var serviceName: String { \"shop.Order\" }",
                "",
                "    /// Adds every method to a server's table.",
                "    public func register(in registry: inout RPCServiceRegistry) throws {",
                "        try registry.add(OrderMethods.makeOrder) { request, call in",
                "            try await self.makeOrder(request, call)",
                "        }",
                "    }",
                "}",
            ])
    }

    @Test("may be empty")
    func mayBeEmpty() {
        #expect(
            piece(Samples.service(), level: .internal).declaration == [
                "/// Sells.",
                "nonisolated protocol OrderService: RPCService {",
                "}",
            ])
    }

    @Test("says what is deprecated, but does not warn who has to implement it")
    func saysWhatIsDeprecated() {
        var method = Samples.makeOrder
        method.isDeprecated = true
        var service = Samples.service(method)
        service.isDeprecated = true
        let lines = piece(service).lines
        #expect(lines.prefix(3) == ["/// Sells.", "///", "/// Deprecated in the .proto file."])
        #expect(lines.contains("    /// Deprecated in the .proto file."))
        #expect(!lines.contains { $0.contains("@available") })
    }

    @Test("names the module where a message hides a name of RocketRPC")
    func namesTheModule() {
        let text = piece(Samples.service(Samples.makeOrder), names: Samples.hiddenNames).lines.text
        #expect(text.contains("protocol OrderService: RocketRPC.RPCService {"))
        #expect(text.contains("_ call: RocketRPC.RPCController"))
        #expect(text.contains("inout RocketRPC.RPCServiceRegistry"))
    }
}
