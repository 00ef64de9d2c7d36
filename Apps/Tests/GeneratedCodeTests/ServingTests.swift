import OrderProtos
import RocketBase
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

/// A generated service and a generated client over a TCP connection.
@Suite("Generated code")
struct ServingTests {
    /// Fails in the two ways of a service: with a business error and with an RPC error.
    private struct FailingHandler: OrderService {
        func makeOrder(
            _ request: MakeOrderRequest, _ call: RocketRPC.RPCController
        ) async throws -> MakeOrderResponse {
            throw BusinessError(-1, "short \"balance\": 余额不足\n")
        }

        func queryOrder(
            _ request: QueryOrderRequest, _ call: RocketRPC.RPCController
        ) async throws -> QueryOrderResponse {
            throw RocketRPC.RPCError(.permissionDenied, "not yours")
        }

        func listOrders(
            _ request: ListOrdersRequest, _ call: RocketRPC.RPCController
        ) async throws -> ListOrdersResponse {
            .with { $0.nextPageToken = request.pageToken + "!" }
        }

        func watchOrders(
            _ request: WatchOrdersRequest, _ responses: RocketRPC.RPCWriter<OrderEvent>,
            _ call: RocketRPC.RPCController
        ) async throws {}
    }

    @Test("A client calls a service; a business error sets ret_code and res_info")
    func servesAndCalls() async throws {
        let server = try RocketRPC.RPCServer(
            configuration: RocketRPC.RPCServerConfiguration(
                tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])),
            services: [FailingHandler()])
        let running = Task { try await server.run() }
        let channel = try RocketRPC.RPCChannel(to: try #require(await server.boundAddresses.first))
        let order = OrderClient(channel)

        let refused = try await order.makeOrder(MakeOrderRequest())
        #expect(refused.retCode == -1)
        #expect(refused.resInfo == "short \"balance\": 余额不足\n")
        #expect(refused.orderID.isEmpty)

        let error = await #expect(throws: RocketRPC.RPCError.self) {
            try await order.queryOrder(QueryOrderRequest())
        }
        #expect(error?.code == .permissionDenied)

        let page = try await order.listOrders(.with { $0.pageToken = "next" })
        #expect(page.nextPageToken == "next!")

        channel.close()
        server.beginDrain()
        try await running.value
    }
}
