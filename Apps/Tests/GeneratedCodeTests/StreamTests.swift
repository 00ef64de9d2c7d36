import GeneratedCodeCommon
import RocketBase
import RocketCodec
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

/// A generated service and a generated client with methods of all four kinds, over a TCP connection.
@Suite("Generated code with streams")
struct StreamTests {
    /// The unary method is synchronous; those with streams are as in any service.
    private struct Handler: Shop_V1_SynchronousStreamsService {
        func one(
            _ request: Shop_V1_Order, _ call: RocketRPC.RPCController
        ) throws -> Shop_V1_Receipt { .with { $0.total = request.price } }

        func collect(
            _ requests: RocketRPC.RPCMessageStream<Shop_V1_Order>, _ call: RocketRPC.RPCController
        ) async throws -> Shop_V1_Receipt {
            var total: Int32 = 0
            for try await order in requests {
                guard order.price >= 10 else { throw BusinessError(-1, "short balance") }
                total += order.price
            }
            return .with { $0.total = total }
        }

        func watch(
            _ request: Shop_V1_Order, _ responses: RocketRPC.RPCWriter<Shop_V1_Receipt>,
            _ call: RocketRPC.RPCController
        ) async throws {
            for total in 0..<request.price {
                try await responses.write(.with { $0.total = total })
            }
            if request.price > 100 { throw BusinessError(-2, "too much") }
        }

        func chat(
            _ requests: RocketRPC.RPCMessageStream<Google_Protobuf_StringValue>,
            _ responses: RocketRPC.RPCWriter<Shop_Common_Money>, _ call: RocketRPC.RPCController
        ) async throws {
            for try await request in requests {
                try await responses.write(.with { $0.units = Int64(request.value) ?? -1 })
            }
        }

        func oldWatch(
            _ request: Shop_V1_Order, _ responses: RocketRPC.RPCWriter<Shop_V1_Receipt>,
            _ call: RocketRPC.RPCController
        ) {}

        func watchOrdersWhosePropertiesMatchThoseOfTheRequest(
            _ requests:
                RocketRPC.RPCMessageStream<Shop_V1_OrderWithANameThatIsTooLongForOneLineOfCode>,
            _ responses: RocketRPC.RPCWriter<Shop_V1_OrderWithANameThatIsTooLongForOneLineOfCode>,
            _ call: RocketRPC.RPCController
        ) async throws {}
    }

    @Test("The kinds are in the descriptions of the methods")
    func kinds() {
        #expect(Shop_V1_StreamsMethods.one.kind == .unary)
        #expect(Shop_V1_StreamsMethods.collect.kind == .clientStreaming)
        #expect(Shop_V1_StreamsMethods.watch.kind == .serverStreaming)
        #expect(Shop_V1_StreamsMethods.chat.kind == .bidirectionalStreaming)
    }

    @Test("A client calls methods of all kinds; a refusal is a response or fails the stream")
    func servesAndCalls() async throws {
        let server = try RocketRPC.RPCServer(
            configuration: RocketRPC.RPCServerConfiguration(
                tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])),
            services: [Handler()])
        let running = Task { try await server.run() }
        let channel = try RocketRPC.RPCChannel(to: try #require(await server.boundAddresses.first))
        let client = Shop_V1_StreamsClient(channel)

        #expect(try await client.one(.with { $0.price = 7 }).total == 7)

        let sum = try await client.collect { orders in
            for price: Int32 in 10..<20 { try await orders.write(.with { $0.price = price }) }
        }
        #expect(sum.total == 145)
        let refused = try await client.collect { orders in
            try await orders.write(.with { $0.price = 1 })
        }
        #expect(refused.retCode == -1 && refused.resInfo == "short balance")

        var totals: [Int32] = []
        for try await receipt in try await client.watch(.with { $0.price = 50 }) {
            totals.append(receipt.total)
        }
        #expect(totals == Array(0..<50))
        let failing = try await client.watch(.with { $0.price = 101 })
        let error = await #expect(throws: RocketRPC.RPCError.self) {
            for try await _ in failing {}
        }
        #expect(error?.code.rawValue == -2)

        let call = try await client.chat()
        var amounts = call.responses.makeAsyncIterator()
        for value in ["3", "x"] {
            try await call.requests.write(.with { $0.value = value })
            #expect(try await amounts.next()?.units == (Int64(value) ?? -1))
        }
        call.finishRequests()
        #expect(try await amounts.next() == nil)

        channel.close()
        server.beginDrain()
        try await running.value
    }
}
