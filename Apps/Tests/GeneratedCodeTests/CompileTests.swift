import GeneratedCodeCommon
import OrderProtos
import RocketRPC
import SwiftProtobuf
import Testing

/// Most of what is shown here is that it compiles, with no warning, under the strict settings.
@Suite("Generated code")
struct CompileTests {
    @Test("names services as the wire does")
    func namesServices() {
        #expect(Shop.serviceName == "shop.v1.Catalog")
        #expect(Teller.serviceName == "shop.common.Bank")
        #expect(Hider.serviceName == "RPC")
        #expect(Orders.serviceName == "Order")
    }

    @Test("names methods as the wire does")
    func namesMethods() {
        #expect(OrderMethods.makeOrder.fullName == "Order.makeOrder")
        #expect(Shop_V1_CatalogMethods.findByName.fullName == "shop.v1.Catalog.find_by_name")
        #expect(Shop_V1_KeywordServiceMethods.`init`.name == "init")
        #expect(Shop_V1_KeywordServiceMethods.self_.name == "self")
        #expect(Shop_V1_KeywordServiceMethods.type.name == "Type")
        #expect(Shop_V1_KeywordServiceMethods._2fa.name == "_2fa")
    }

    @Test("knows a lower-case message by both its names")
    func knowsBothNames() {
        #expect(OrderProtos.MakeOrderRequest.self == OrderProtos.makeOrderRequest.self)
        #expect(MakeOrderRequest.protoMessageName == "makeOrderRequest")
    }
}

private struct Orders: OrderService {
    func makeOrder(
        _ request: MakeOrderRequest, _ call: RocketRPC.RPCController
    ) async throws -> MakeOrderResponse {
        .with { $0.resInfo = "OK" }
    }

    func queryOrder(
        _ request: QueryOrderRequest, _ call: RocketRPC.RPCController
    ) async throws -> QueryOrderResponse { .init() }

    func listOrders(
        _ request: ListOrdersRequest, _ call: RocketRPC.RPCController
    ) async throws -> ListOrdersResponse { .init() }
}

/// A function needs neither `async` nor `throws`.
private struct Teller: Shop_Common_BankService {
    func convert(_ request: Shop_Common_Money, _ call: RocketRPC.RPCController) -> Shop_Common_Money
    { request }
}

/// An actor serves as well as a value.
private actor Shop: Shop_V1_CatalogService {
    private var touched = 0

    func findItem(
        _ request: Shop_V1_Item.Key, _ call: RocketRPC.RPCController
    ) -> Shop_V1_Item.Key.Part { .init() }

    func findShelf(_ request: Shop_V1_Shelf, _ call: RocketRPC.RPCController) -> Shop_V1_Shelf.Place
    { .init() }

    func findPrice(
        _ request: Shop_Common_Money, _ call: RocketRPC.RPCController
    ) -> Shop_Common_Money.Currency { request.currency }

    func touch(
        _ request: Google_Protobuf_Empty, _ call: RocketRPC.RPCController
    ) -> Google_Protobuf_Timestamp {
        touched += 1
        return .init()
    }

    func findByName(
        _ request: Google_Protobuf_StringValue, _ call: RocketRPC.RPCController
    ) -> Google_Protobuf_ListValue { .init() }

    func httpGet(_ request: Shop_V1_Item, _ call: RocketRPC.RPCController) -> Shop_V1_Item {
        request
    }

    func oldFind(_ request: Shop_V1_Item, _ call: RocketRPC.RPCController) -> Shop_V1_Item {
        request
    }

    func findEverythingThatThereIsInAllShopsOfThisTown(
        _ request: Shop_V1_Item, _ call: RocketRPC.RPCController
    ) -> Shop_V1_ItemWithAVeryLongNameThatNobodyWantsToType { .init() }
}

/// Its messages have the names of RocketRPC's own types.
private struct Hider: RPCService {
    func hide(_ request: RPCController, _ call: RocketRPC.RPCController) -> Duration { .init() }
    func hideAll(_ request: RPCChannel, _ call: RocketRPC.RPCController) -> RPCMetadata { .init() }
    func hideError(_ request: RPCError, _ call: RocketRPC.RPCController) -> QueryNameResponse {
        .init()
    }
    func hideNothing(_ request: task, _ call: RocketRPC.RPCController) -> RPCMethod { .init() }
}

/// A client's functions are called like any others, whatever they are named.
private func calls(over channel: RocketRPC.RPCChannel) async throws(RocketRPC.RPCError) {
    let keywords = Shop_V1_KeywordServiceClient(channel)
    _ = try await keywords.`init`(.init())
    _ = try await keywords.self_(.init())
    _ = try await keywords.default(.init(), timeout: .seconds(1))
    _ = try await keywords.import(.init(), metadata: [:])
    _ = try await keywords.channel(.init())
    _ = try await keywords.`init`(.init(), options: .waitForReady)
    _ = try await keywords.self_(.init(), RocketRPC.RPCController(timeout: .seconds(1)))
    _ = try await OrderClient(keywords.channel).makeOrder(.with { $0.price = 100 })
}
