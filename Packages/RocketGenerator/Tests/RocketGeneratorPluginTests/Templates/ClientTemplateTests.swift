import Testing

@testable import RocketGeneratorPlugin

@Suite("The client struct")
struct ClientTemplateTests {
    private func piece(_ service: ServiceModel, names: RuntimeNames = Samples.names)
        -> ClientTemplate
    {
        ClientTemplate(service: service, level: .public, names: names)
    }

    @Test("has a channel and a function for each method")
    func hasAFunction() {
        #expect(
            piece(Samples.service(Samples.makeOrder)).lines == [
                "/// Calls `shop.Order` over a channel.",
                "///",
                "/// Sells.",
                "///",
                "/// A call's `timeout` is its own deadline, nil means the channel's; `metadata`",
                "/// goes to the server with it. Every call ends with a reply or an `RPCError`.",
                "/// A controller says more, and tells what became of its call.",
                "public nonisolated struct OrderClient: Sendable {",
                "    /// What the calls go over.",
                "    public let channel: RPCChannel",
                "",
                "    /// Makes a client of `channel`, which any number of clients may share.",
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

    @Test("warns callers of what is deprecated")
    func warnsCallers() {
        var method = Samples.makeOrder
        method.isDeprecated = true
        var service = Samples.service(method)
        service.isDeprecated = true
        let lines = piece(service).lines
        #expect(
            lines.contains(
                "@available(*, deprecated, message: \"shop.Order is deprecated in its .proto\")"))
        #expect(
            lines.contains(
                "    @available(*, deprecated, "
                    + "message: \"shop.Order.makeOrder is deprecated in its .proto\")"))
    }

    @Test("names the module where a message hides a name")
    func namesTheModule() {
        let text = piece(Samples.service(Samples.makeOrder), names: Samples.hiddenNames).lines.text
        for name in [
            "RocketRPC.RPCChannel", "Swift.Duration?", "RocketRPC.RPCMetadata",
            "RocketRPC.RPCCallOptions", "RocketRPC.RPCController",
            "throws(RocketRPC.RPCError)",
        ] {
            #expect(text.contains(name), "\(name)")
        }
    }
}
