import Testing

@testable import RocketGeneratorPlugin

@Suite("Template of a client")
struct ClientTemplateTests {
    private func template(_ service: ServiceModel, names: RuntimeNames = Samples.names)
        -> ClientTemplate
    {
        ClientTemplate(service: service, level: .public, names: names)
    }

    @Test("Has a channel and two functions for each method")
    func hasAFunction() {
        #expect(
            template(Samples.service(Samples.makeOrder)).lines == [
                "/// Calls `shop.Order` over a channel.",
                "///",
                "/// Sells.",
                "///",
                "/// `timeout` limits the call; nil means the channel's timeout. `metadata` is sent",
                "/// to the server. Every call ends with a response or an `RPCError`. Pass an",
                "/// `RPCController` to set more options and to read how the call ended.",
                "public nonisolated struct OrderClient: Sendable {",
                "    /// The channel of the calls.",
                "    public let channel: RPCChannel",
                "",
                "    /// Creates a client of `channel`. Any number of clients can share a channel.",
                "    public init(_ channel: RPCChannel) { self.channel = channel }",
                "",
                "    /// Makes one order.",
                "    public nonisolated(nonsending) func makeOrder(",
                "        _ request: Want,",
                "        timeout: Duration? = nil,",
                "        metadata: RPCMetadata = .empty,",
                "        options: RPCCallOptions = .init()",
                "    ) async throws(RPCError) -> Bill {",
                "        try await channel.call(",
                "            "
                    + "OrderMethods.makeOrder, request, timeout: timeout, metadata: metadata, "
                    + "options: options)",
                "    }",
                "",
                "    /// Makes one order.",
                "    public nonisolated(nonsending) func makeOrder(",
                "        _ request: Want, _ call: RPCController",
                "    ) async throws(RPCError) -> Bill {",
                "        try await channel.call(OrderMethods.makeOrder, request, call)",
                "    }",
                "}",
            ])
    }

    @Test("Warns callers of deprecated methods and services")
    func warnsCallers() {
        var method = Samples.makeOrder
        method.isDeprecated = true
        var service = Samples.service(method)
        service.isDeprecated = true
        let lines = template(service).lines
        #expect(
            lines.contains(
                "@available(*, deprecated, message: \"shop.Order is deprecated in its .proto\")"))
        #expect(
            lines.contains(
                "    @available(*, deprecated, "
                    + "message: \"shop.Order.makeOrder is deprecated in its .proto\")"))
    }

    @Test("Qualifies names that a message hides")
    func namesTheModule() {
        let text = template(Samples.service(Samples.makeOrder), names: Samples.hiddenNames).lines
            .text
        for name in [
            "RocketRPC.RPCChannel", "Swift.Duration?", "RocketRPC.RPCMetadata",
            "RocketRPC.RPCCallOptions", "RocketRPC.RPCController",
            "throws(RocketRPC.RPCError)",
        ] {
            #expect(text.contains(name), "\(name)")
        }
    }
}
