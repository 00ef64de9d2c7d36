import Testing

@testable import RocketGeneratorPlugin

@Suite("Templates of methods with streams")
struct StreamTemplateTests {
    private let service = Samples.service(Samples.watch, Samples.collect, Samples.chat)

    @Test("A service protocol has a requirement with streams for each kind")
    func requirements() {
        let template = ServerTemplate(service: service, level: .public, names: Samples.names)
        #expect(
            template.declaration.text == """
                /// Sells.
                public nonisolated protocol OrderService: RPCService {
                    /// Handles `shop.Order.watch`.
                    nonisolated(nonsending) func watch(
                        _ request: Want, _ responses: RPCWriter<Bill>, _ call: RPCController
                    ) async throws

                    /// Handles `shop.Order.collect`.
                    nonisolated(nonsending) func collect(
                        _ requests: RPCMessageStream<Want>, _ call: RPCController
                    ) async throws -> Bill

                    /// Handles `shop.Order.chat`.
                    nonisolated(nonsending) func chat(
                        _ requests: RPCMessageStream<Want>, _ responses: RPCWriter<Bill>, _ call: RPCController
                    ) async throws
                }

                """)
    }

    @Test("Each kind is registered by its own label")
    func registration() {
        let template = ServerTemplate(service: service, level: .public, names: Samples.names)
        #expect(
            service.methods.flatMap(template.registration).text == """
                try registry.add(serverStreaming: OrderMethods.watch) { request, responses, call in
                    try await self.watch(request, responses, call)
                }
                try registry.add(clientStreaming: OrderMethods.collect) { requests, call in
                    try await self.collect(requests, call)
                }
                try registry.add(bidirectional: OrderMethods.chat) { requests, responses, call in
                    try await self.chat(requests, responses, call)
                }

                """)
    }

    @Test(
        "A constant has the kind of its method, and the codings of both messages",
        arguments: [
            (Samples.watch, "serverStreaming"), (Samples.collect, "clientStreaming"),
            (Samples.chat, "bidirectionalStreaming"),
        ])
    func constants(method: MethodModel, kind: String) {
        let template = MethodsTemplate(service: service, level: .internal, names: Samples.names)
        #expect(
            template.constant(method).text == """
                /// `shop.Order.\(method.name)`
                static let \(method.name) = RPCMethod<Want, Bill>(
                    service: "shop.Order", name: "\(method.name)", kind: .\(kind),
                    request: .init(
                        decode: { try $0.decodeMessage(decoder: &$1) },
                        encode: { try $0.traverse(visitor: &$1) }),
                    response: .init(
                        decode: { try $0.decodeMessage(decoder: &$1) },
                        encode: { try $0.traverse(visitor: &$1) }))

                """)
    }

    /// Returns the functions of a client for one method.
    private func functions(_ method: MethodModel) -> String {
        let service = Samples.service(method)
        let template = ClientTemplate(service: service, level: .public, names: Samples.names)
        return Lines.joined([template.streamCall(method), template.controlledStreamCall(method)])
            .text
    }

    @Test("A client calls a server stream with its request")
    func clientOfServerStream() {
        #expect(
            functions(Samples.watch) == """
                /// Calls `shop.Order.watch`.
                ///
                /// The call is cancelled when nothing holds its stream any more.
                public nonisolated(nonsending) func watch(
                    _ request: Want,
                    timeout: Duration? = nil,
                    metadata: RPCMetadata = .empty,
                    options: RPCCallOptions = .init()
                ) async throws(RPCError) -> RPCMessageStream<Bill> {
                    try await channel.serverStream(
                        OrderMethods.watch, request, timeout: timeout, metadata: metadata, options: options)
                }

                /// Calls `shop.Order.watch`.
                ///
                /// The call is cancelled when nothing holds its stream any more.
                public nonisolated(nonsending) func watch(
                    _ request: Want, _ call: RPCController
                ) async throws(RPCError) -> RPCMessageStream<Bill> {
                    try await channel.serverStream(OrderMethods.watch, request, call)
                }

                """)
    }

    @Test("A client calls a client stream with a closure that writes, or gets the call")
    func clientOfClientStream() {
        #expect(
            functions(Samples.collect) == """
                /// Calls `shop.Order.collect`.
                ///
                /// `write` writes the requests; each write waits until the server can take the message.
                /// The requests end when it returns; an error that it throws cancels the call.
                public nonisolated(nonsending) func collect(
                    timeout: Duration? = nil,
                    metadata: RPCMetadata = .empty,
                    options: RPCCallOptions = .init(),
                    _ write: nonisolated(nonsending) (RPCWriter<Want>) async throws -> Void
                ) async throws -> Bill {
                    try await channel.clientStream(
                        OrderMethods.collect, timeout: timeout, metadata: metadata, options: options, write)
                }

                /// Calls `shop.Order.collect`.
                ///
                /// Write the requests to `requests` of the call; its `response()` ends them and waits
                /// for the response.
                public nonisolated(nonsending) func collect(
                    _ call: RPCController
                ) async throws(RPCError) -> RPCStreamCall<Want, Bill> {
                    try await channel.stream(OrderMethods.collect, call)
                }

                """)
    }

    @Test("A client of a bidirectional stream gets the call")
    func clientOfBidirectionalStream() {
        #expect(
            functions(Samples.chat) == """
                /// Calls `shop.Order.chat`.
                ///
                /// Write the requests to `requests` of the call, then call `finishRequests()`; read the
                /// responses from `responses`, at the same time.
                public nonisolated(nonsending) func chat(
                    timeout: Duration? = nil, metadata: RPCMetadata = .empty, options: RPCCallOptions = .init()
                ) async throws(RPCError) -> RPCStreamCall<Want, Bill> {
                    try await channel.stream(
                        OrderMethods.chat, timeout: timeout, metadata: metadata, options: options)
                }

                /// Calls `shop.Order.chat`.
                ///
                /// Write the requests to `requests` of the call, then call `finishRequests()`; read the
                /// responses from `responses`, at the same time.
                public nonisolated(nonsending) func chat(
                    _ call: RPCController
                ) async throws(RPCError) -> RPCStreamCall<Want, Bill> {
                    try await channel.stream(OrderMethods.chat, call)
                }

                """)
    }

    @Test("The comment of a client with streams tells that they have no time limit of their own")
    func clientComment() {
        func text(_ service: ServiceModel) -> String {
            ClientTemplate(service: service, level: .public, names: Samples.names).lines.text
        }
        #expect(text(service).contains("A call with streams has no time limit"))
        #expect(!text(Samples.service(Samples.makeOrder)).contains("streams"))
    }

    @Test("A synchronous service has only the unary methods, and registers the others as they are")
    func synchronous() {
        let mixed = Samples.service(Samples.makeOrder, Samples.watch)
        let template = SynchronousTemplate(service: mixed, level: .public, names: Samples.names)
        #expect(
            template.lines.text == """
                /// `OrderService` for implementations whose unary methods are synchronous.
                /// Each of these runs on the event loop of its connection and blocks the loop until it
                /// returns, so it must not wait. Methods with streams are those of `OrderService`.
                public nonisolated protocol SynchronousOrderService: OrderService {
                    /// Makes one order.
                    func makeOrder(_ request: Want, _ call: RPCController) throws -> Bill
                }

                extension SynchronousOrderService {
                    /// Adds all methods to a server's table, the unary ones as synchronous methods.
                    @inlinable
                    public func register(in registry: inout RPCServiceRegistry) throws {
                        try registry.add(
                            OrderMethods.makeOrder,
                            synchronous: { request, call in try self.makeOrder(request, call) })
                        try registry.add(serverStreaming: OrderMethods.watch) { request, responses, call in
                            try await self.watch(request, responses, call)
                        }
                    }
                }

                """)
    }

    @Test("A service with streams only has no synchronous form")
    func onlyStreams() {
        let template = SynchronousTemplate(
            service: service, level: .public, names: Samples.names)
        #expect(template.lines.isEmpty)
    }

    @Test("Names of the types of streams are qualified where messages hide them")
    func hidden() {
        let server = ServerTemplate(service: service, level: .public, names: Samples.hiddenNames)
        let client = ClientTemplate(service: service, level: .public, names: Samples.hiddenNames)
        #expect(server.declaration.text.contains("RocketRPC.RPCMessageStream<Want>"))
        #expect(server.declaration.text.contains("RocketRPC.RPCWriter<Bill>"))
        for name in [
            "RocketRPC.RPCMessageStream<Bill>", "RocketRPC.RPCWriter<Want>",
            "RocketRPC.RPCStreamCall<Want, Bill>",
        ] {
            #expect(client.lines.text.contains(name), "\(name)")
        }
    }
}
