import Testing

@testable import RocketGeneratorPlugin

@Suite("The protocol of services that never wait")
struct SynchronousTemplateTests {
    @Test("refines the service's, and registers its methods so")
    func refines() {
        let piece = SynchronousTemplate(
            service: Samples.service(Samples.makeOrder), level: .public, names: Samples.names)
        #expect(
            piece.lines == [
                "/// `OrderService` for implementations whose methods never wait: each runs on",
                "/// its connection's loop as soon as the request is there, and holds the loop up until",
                "/// it returns.",
                "public nonisolated protocol SynchronousOrderService: OrderService {",
                "    /// Makes one order.",
                "    func makeOrder(_ request: Want, _ call: RPCController) throws -> Bill",
                "}",
                "",
                "extension SynchronousOrderService {",
                "    /// Adds every method to a server's table, as one that never waits.",
                "    public func register(in registry: inout RPCServiceRegistry) throws {",
                "        try registry.add(",
                "            OrderMethods.makeOrder,",
                "            synchronous: { request, call in try self.makeOrder(request, call) })",
                "    }",
                "}",
            ])
    }

    @Test("is left out for a service with no methods")
    func isLeftOut() {
        let piece = SynchronousTemplate(
            service: Samples.service(), level: .public, names: Samples.names)
        #expect(piece.lines.isEmpty)
    }
}
