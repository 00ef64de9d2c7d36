import GeneratedCodeCommon
import OrderProtos
import RocketCodec
import RocketRPC
import SwiftProtobuf
import Testing

/// Most of these tests only need to compile, without a warning, under the strict settings.
@Suite("Generated code")
struct CompileTests {
    @Test("Service names are those of the wire format")
    func serviceNames() {
        #expect(CatalogHandler.serviceName == "shop.v1.Catalog")
        #expect(BankHandler.serviceName == "shop.common.Bank")
        #expect(ShadowingHandler.serviceName == "RPC")
        #expect(OrderHandler.serviceName == "Order")
    }

    @Test("Method names are those of the wire format")
    func methodNames() {
        #expect(OrderMethods.makeOrder.fullName == "Order.makeOrder")
        #expect(Shop_V1_CatalogMethods.findByName.fullName == "shop.v1.Catalog.find_by_name")
        #expect(Shop_V1_KeywordServiceMethods.`init`.name == "init")
        #expect(Shop_V1_KeywordServiceMethods.self_.name == "self")
        #expect(Shop_V1_KeywordServiceMethods.type.name == "Type")
        #expect(Shop_V1_KeywordServiceMethods._2fa.name == "_2fa")
    }

    @Test("A message with a lower-case name has two names in Swift")
    func messageNames() {
        #expect(OrderProtos.MakeOrderRequest.self == OrderProtos.makeOrderRequest.self)
        #expect(MakeOrderRequest.protoMessageName == "makeOrderRequest")
    }
}

private struct OrderHandler: OrderService {
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

    func watchOrders(
        _ request: WatchOrdersRequest, _ responses: RocketRPC.RPCWriter<OrderEvent>,
        _ call: RocketRPC.RPCController
    ) async throws {}
}

/// Functions without `async` and `throws`.
private struct BankHandler: Shop_Common_BankService {
    func convert(_ request: Shop_Common_Money, _ call: RocketRPC.RPCController) -> Shop_Common_Money
    { request }
}

/// An actor as a service.
private actor CatalogHandler: Shop_V1_CatalogService {
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

    func findItemsWhosePropertiesMatchThoseOfTheRequest(
        _ request: Shop_V1_Item, _ call: RocketRPC.RPCController
    ) -> Shop_V1_ItemWithANameThatIsTooLongForOneLineOfCode { .init() }
}

/// Messages with the names of RocketRPC's types.
private struct ShadowingHandler: RPCService {
    func hide(_ request: RPCController, _ call: RocketRPC.RPCController) -> Duration { .init() }
    func hideAll(_ request: RPCChannel, _ call: RocketRPC.RPCController) -> RPCMetadata { .init() }
    func hideError(_ request: RPCError, _ call: RocketRPC.RPCController) -> QueryNameResponse {
        .init()
    }
    func hideNothing(_ request: task, _ call: RocketRPC.RPCController) -> RPCMethod { .init() }
    func hideStreams(
        _ requests: RocketRPC.RPCMessageStream<RPCWriter>,
        _ responses: RocketRPC.RPCWriter<RPCMessageStream>, _ call: RocketRPC.RPCController
    ) {}
    func hideCall(
        _ requests: RocketRPC.RPCMessageStream<RPCStreamCall>, _ call: RocketRPC.RPCController
    ) -> RPCWriter { .init() }
}

/// The functions of a client are called like others, also if their names are keywords.
private func calls(over channel: RocketRPC.RPCChannel) async throws(RocketRPC.RPCError) {
    let keywords = Shop_V1_KeywordServiceClient(channel)
    _ = try await keywords.`init`(.init())
    _ = try await keywords.self_(.init())
    _ = try await keywords.default(.init(), timeout: .seconds(1))
    _ = try await keywords.import(.init(), metadata: [:])
    _ = try await keywords.channel(.init())
    _ = try await keywords.`init`(.init(), options: .waitForReady)
    _ = try await keywords.self_(.init(), RocketRPC.RPCController(timeout: .seconds(1)))
    let streams = Shop_V1_StreamKeywordsClient(channel)
    _ = try await streams.`init`()
    _ = try await streams.self_(.init())
    _ = try await streams.default(.init(), timeout: .seconds(1))
    _ = try await streams.channel(metadata: [:])
    _ = try await streams.stream(RocketRPC.RPCController()).requests
    _ = try await streams.responses(.init(), .init())
    _ = try await OrderClient(keywords.channel).makeOrder(.with { $0.price = 100 })
}
