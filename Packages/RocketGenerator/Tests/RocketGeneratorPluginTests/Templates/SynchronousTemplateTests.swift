import Testing

@testable import RocketGeneratorPlugin

@Suite("Template of a synchronous service")
struct SynchronousTemplateTests {
    @Test("Refines the service protocol and registers its methods as synchronous")
    func refines() {
        let template = SynchronousTemplate(
            service: Samples.service(Samples.makeOrder), level: .public, names: Samples.names)
        #expect(
            template.lines == [
                "/// `OrderService` for implementations whose methods are synchronous. Each",
                "/// method runs on the event loop of its connection and blocks the loop until it",
                "/// returns, so it must not wait.",
                "public nonisolated protocol SynchronousOrderService: OrderService {",
                "    /// Makes one order.",
                "    func makeOrder(_ request: Want, _ call: RPCController) throws -> Bill",
                "}",
                "",
                "extension SynchronousOrderService {",
                "    /// Adds all methods to a server's table as synchronous methods.",
                "    @inlinable",
                "    public func register(in registry: inout RPCServiceRegistry) throws {",
                "        try registry.add(",
                "            OrderMethods.makeOrder,",
                "            synchronous: { request, call in try self.makeOrder(request, call) })",
                "    }",
                "}",
            ])
    }

    @Test("Writes nothing for a service without methods")
    func writesNothing() {
        let template = SynchronousTemplate(
            service: Samples.service(), level: .public, names: Samples.names)
        #expect(template.lines.isEmpty)
    }
}
