import Testing

@testable import RocketGeneratorPlugin

@Suite("Name in Swift")
struct SwiftNameTests {
    @Test(
        "Name of a method begins with a lower-case letter and keeps its other capitals",
        arguments: [
            ("makeOrder", "makeOrder"), ("MakeOrder", "makeOrder"), ("make_order", "makeOrder"),
            ("MAKE_ORDER", "makeORDER"), ("HTTPGet", "httpGet"), ("GetURL", "getURL"),
            ("ID", "id"), ("X", "x"), ("_private", "private"), ("trailing_", "trailing"),
            ("a__b", "aB"), ("_2fa", "_2fa"), ("v2", "v2"), ("self", "self_"), ("Self", "self_"),
        ])
    func ofMethods(name: String, expected: String) {
        #expect(SwiftName.method(name) == expected)
    }

    @Test("Does not exist for underscores alone", arguments: ["_", "__"])
    func ofUnderscores(name: String) {
        #expect(SwiftName.method(name) == nil)
    }

    @Test(
        "Name of a type begins with a capital and keeps its other capitals",
        arguments: [
            ("makeOrderRequest", "MakeOrderRequest"), ("query_name_req", "QueryNameReq"),
            ("order", "Order"), ("aURL", "AURL"), ("_", "_"),
        ])
    func ofTypes(name: String, expected: String) {
        #expect(SwiftName.upperCamel(name) == expected)
    }

    @Test("Has backticks if it is a keyword")
    func hasBackticks() {
        #expect(SwiftName.escaped("import") == "`import`")
        #expect(SwiftName.escaped("init") == "`init`")
        #expect(SwiftName.escaped("imports") == "imports")
    }

    @Test("Distinguishes one word from several")
    func distinguishesOneWord() {
        #expect(!SwiftName.hasSeveralWords("task"))
        #expect(!SwiftName.hasSeveralWords("Task"))
        #expect(SwiftName.hasSeveralWords("bigTask"))
        #expect(SwiftName.hasSeveralWords("big_task"))
    }

    @Test("Name of a service's type contains \"Service\" once")
    func ofAServicesCode() {
        func all(_ names: ServiceNames) -> [String] {
            [names.protocolName, names.synchronousName, names.methodsName, names.clientName]
        }
        #expect(
            all(ServiceNames(service: "Order", prefix: "Shop_V1_"))
                == [
                    "Shop_V1_OrderService", "Shop_V1_SynchronousOrderService",
                    "Shop_V1_OrderMethods", "Shop_V1_OrderClient",
                ])
        #expect(
            all(ServiceNames(service: "query_service", prefix: ""))
                == [
                    "QueryService", "SynchronousQueryService", "QueryServiceMethods",
                    "QueryServiceClient",
                ])
        #expect(
            all(ServiceNames(service: "order", prefix: "S_", isLong: true))
                == [
                    "S_OrderRPCService", "S_SynchronousOrderRPCService", "S_OrderRPCMethods",
                    "S_OrderRPCClient",
                ])
    }
}
