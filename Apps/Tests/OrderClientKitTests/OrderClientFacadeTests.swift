import ArgumentParser
import OrderProtos
import RocketBase
import RocketCodec
import RocketProgram
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

@testable import OrderClientKit

struct OrderClientFacadeTests {
    /// A server whose list never ends, and that tells the key of a call in the id of the order.
    private struct Handler: OrderService {
        func makeOrder(
            _ request: MakeOrderRequest, _ call: RPCController
        ) async throws -> MakeOrderResponse {
            .with { $0.orderID = call.requestMetadata["idempotency-key"] ?? "none" }
        }

        func queryOrder(
            _ request: QueryOrderRequest, _ call: RPCController
        ) async throws -> QueryOrderResponse {
            .with { $0.order.orderID = request.orderID }
        }

        func listOrders(
            _ request: ListOrdersRequest, _ call: RPCController
        ) async throws -> ListOrdersResponse {
            .with {
                $0.orders = [.with { $0.orderID = request.pageToken }]
                $0.nextPageToken = request.pageToken
            }
        }

        func watchOrders(
            _ request: WatchOrdersRequest, _ responses: RPCWriter<OrderEvent>,
            _ call: RPCController
        ) async throws {}
    }

    private func withServer(_ body: (_ address: String) async throws -> Void) async throws {
        let server = try RPCServer(
            configuration: RPCServerConfiguration(
                tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])),
            services: [Handler()])
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        try await body(address.description)
        server.beginDrain()
        try await running.value
    }

    @Test(
        "Calls a server by the name of its host",
        arguments: ["localhost:", "dns:///localhost:", "list:127.0.0.1:"])
    func hosts(prefix: String) async throws {
        try await withServer { address in
            let port = address.split(separator: ":").last ?? ""
            let facade = try OrderClientFacade(
                CallOptions.parse(["--to", "\(prefix)\(port)", "--timeout", "60s"]))
            guard case .made = try await facade.make(price: 10, goods: "a").answer else {
                Issue.record("no order")
                return
            }
        }
    }

    @Test("A list that goes on with the page that it began with fails after that page")
    func endlessList() async throws {
        try await withServer { address in
            let facade = try OrderClientFacade(CallOptions.parse(["--to", address]))
            let failure = await #expect(throws: ProgramFailure.self) {
                try await facade.list(pageSize: 10, pageToken: "p", all: false)
            }
            #expect(failure?.description.contains("the next page was listed before") == true)
        }
    }

    @Test("A rocket-swift server gets another key for each order")
    func keys() async throws {
        try await withServer { address in
            let facade = try OrderClientFacade(CallOptions.parse(["--to", address]))
            var ids: Set<String> = []
            for _ in 0..<2 {
                guard case .made(let id, _) = try await facade.make(price: 10, goods: "a").answer
                else { return }
                ids.insert(id)
            }
            #expect(ids.count == 2 && !ids.contains("none"))
        }
    }
}
