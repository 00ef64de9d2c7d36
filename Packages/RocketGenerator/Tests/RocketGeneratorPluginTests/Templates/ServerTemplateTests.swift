import Testing

@testable import RocketGeneratorPlugin

@Suite("Template of a service protocol")
struct ServerTemplateTests {
    private func template(
        _ service: ServiceModel, level: AccessLevel = .public, names: RuntimeNames = Samples.names
    ) -> ServerTemplate {
        ServerTemplate(service: service, level: level, names: names)
    }

    @Test("Has a requirement for each method with the comments of the .proto file")
    func hasARequirement() {
        #expect(
            template(Samples.service(Samples.makeOrder)).declaration == [
                "/// Sells.",
                "public nonisolated protocol OrderService: RPCService {",
                "    /// Makes one order.",
                "    nonisolated(nonsending) func makeOrder(",
                "        _ request: Want, _ call: RPCController",
                "    ) async throws -> Bill",
                "}",
            ])
    }

    @Test("Has default comments where the .proto file has none")
    func hasDefaultComments() {
        var method = Samples.makeOrder
        method.comment = []
        var service = Samples.service(method)
        service.comment = []
        let lines = template(service).declaration
        #expect(lines[0] == "/// Implements `shop.Order`: one function per method.")
        #expect(lines[2] == "    /// Handles `shop.Order.makeOrder`.")
    }

    @Test("Registers each method")
    func registersEachMethod() {
        #expect(
            template(Samples.service(Samples.makeOrder)).defaults == [
                "extension OrderService {",
                "    /// Name on the wire: `shop.Order`.",
                "    public static var serviceName: String { \"shop.Order\" }",
                "",
                "    /// Adds all methods to a server's table.",
                "    @inlinable",
                "    public func register(in registry: inout RPCServiceRegistry) throws {",
                "        try registry._add(OrderMethods.makeOrder) { request, call in",
                "            try await self.makeOrder(request, call)",
                "        } serve: { context, entry in",
                "            await context._serve(entry, OrderMethods.makeOrder) { request, call in",
                "                try await self.makeOrder(request, call)",
                "            }",
                "        }",
                "    }",
                "}",
            ])
    }

    @Test(
        "Is specialised in other modules only where it is public", arguments: AccessLevel.allCases)
    func inlinable(_ level: AccessLevel) {
        let lines = template(Samples.service(Samples.makeOrder), level: level).defaults
        #expect(lines.contains("    @inlinable") == (level == .public))
    }

    @Test("Can be empty")
    func canBeEmpty() {
        #expect(
            template(Samples.service(), level: .internal).declaration == [
                "/// Sells.",
                "nonisolated protocol OrderService: RPCService {",
                "}",
            ])
    }

    @Test("Notes deprecation without a warning for implementations")
    func notesDeprecation() {
        var method = Samples.makeOrder
        method.isDeprecated = true
        var service = Samples.service(method)
        service.isDeprecated = true
        let lines = template(service).lines
        #expect(lines.prefix(3) == ["/// Sells.", "///", "/// Deprecated in the .proto file."])
        #expect(lines.contains("    /// Deprecated in the .proto file."))
        #expect(!lines.contains { $0.contains("@available") })
    }

    @Test("Qualifies names of RocketRPC that a message hides")
    func namesTheModule() {
        let text = template(Samples.service(Samples.makeOrder), names: Samples.hiddenNames).lines
            .text
        #expect(text.contains("protocol OrderService: RocketRPC.RPCService {"))
        #expect(text.contains("_ call: RocketRPC.RPCController"))
        #expect(text.contains("inout RocketRPC.RPCServiceRegistry"))
    }
}
