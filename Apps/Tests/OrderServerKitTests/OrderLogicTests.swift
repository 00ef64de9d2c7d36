import Foundation
import OrderProtos
import OrderStore
import SwiftProtobuf
import Testing

@testable import OrderServerKit

struct OrderLogicTests {
    @Test("An order is made, found again and listed")
    func happyPath() async throws {
        try await withDesk { desk in
            let made = try await desk.make(request(100, "apple"))
            #expect(made.retCode == 0)
            #expect(made.resInfo == "OK")
            #expect(OrderID(made.orderID) != nil)

            let found = try await desk.query(.with { $0.orderID = made.orderID })
            #expect(found.retCode == 0)
            #expect(found.order.price == 100)
            #expect(found.order.goods == "apple")
            #expect(try await desk.list(listOrdersRequest()).orders == [found.order])
        }
    }

    @Test(
        "What breaks the rules is refused by a normal response with its own code",
        arguments: [
            (9, "apple", Int32(-1)), (0, "apple", -1), (-5, "apple", -1), (.min, "apple", -1),
            (9, "", -1), (10, "", -2), (10, String(repeating: "x", count: 1025), -4),
            (10, "a\0b", -4), (10, "apple", 0), (10, String(repeating: "x", count: 1024), 0),
            (.max, "apple", 0),
        ] as [(Int32, String, Int32)])
    func rules(price: Int32, goods: String, code: Int32) async throws {
        try await withDesk { desk in
            let response = try await desk.make(request(price, goods))
            #expect(response.retCode == code)
            #expect(response.orderID.isEmpty == (code != 0))
            #expect(response.resInfo.isEmpty == false)
            #expect(try await desk.list(listOrdersRequest()).orders.count == (code == 0 ? 1 : 0))
        }
    }

    @Test("A price under ten is the original's short balance")
    func shortBalance() async throws {
        try await withDesk { desk in
            let response = try await desk.make(request(9, "apple"))
            #expect(response.resInfo == "short balance")
        }
    }

    @Test("The same key answers the same order, and another price with it is refused")
    func idempotency() async throws {
        try await withDesk { desk in
            let first = try await desk.make(request(100, "apple"), idempotencyKey: "k")
            #expect(try await desk.make(request(100, "apple"), idempotencyKey: "k") == first)
            let other = try await desk.make(request(101, "apple"), idempotencyKey: "k")
            #expect(other.retCode == -6)
            #expect(other.resInfo.contains(first.orderID))
        }
    }

    @Test(
        "A key that is none is refused", arguments: ["", "a\0", String(repeating: "k", count: 129)])
    func badKeys(key: String) async throws {
        try await withDesk { desk in
            let response = try await desk.make(request(100, "a"), idempotencyKey: key)
            #expect(response.retCode == -7)
        }
    }

    @Test("An unknown id is answered with its code", arguments: ["", "x", "202611210000000001"])
    func unknownID(id: String) async throws {
        try await withDesk { desk in
            let response = try await desk.query(.with { $0.orderID = id })
            #expect(response.retCode == -3)
            #expect(!response.resInfo.isEmpty)
            #expect(!response.hasOrder)
        }
    }

    @Test("Pages are as long as asked for, within the server's limit")
    func pageSizes() async throws {
        var rules = OrderRules()
        rules.defaultPageSize = 2
        rules.maxPageSize = 3
        try await withDesk(rules: rules) { desk in
            for _ in 0..<5 { _ = try await desk.make(request(10, "apple")) }
            for (wanted, given) in [(0, 2), (-1, 2), (1, 1), (3, 3), (1000, 3)] as [(Int32, Int)] {
                let page = try await desk.list(.with { $0.pageSize = wanted })
                #expect(page.orders.count == given)
                #expect(!page.nextPageToken.isEmpty)
            }
        }
    }

    @Test("A walk over the pages sees every order once")
    func paging() async throws {
        try await withDesk { desk in
            var made: [String] = []
            for _ in 0..<5 { made.append(try await desk.make(request(10, "apple")).orderID) }
            var seen: [String] = []
            var query = listOrdersRequest.with { $0.pageSize = 2 }
            repeat {
                let page = try await desk.list(query)
                seen += page.orders.map(\.orderID)
                query.pageToken = page.nextPageToken
            } while !query.pageToken.isEmpty
            #expect(seen == made)
        }
    }

    @Test("A page token of somebody else's is refused")
    func badToken() async throws {
        try await withDesk { desk in
            let response = try await desk.list(.with { $0.pageToken = "17" })
            #expect(response.retCode == -5)
        }
    }
}

private func request(_ price: Int32, _ goods: String) -> makeOrderRequest {
    .with {
        $0.price = price
        $0.goods = goods
    }
}

private func withDesk(
    rules: OrderRules = OrderRules(), _ body: (OrderLogic) async throws -> Void
) async throws {
    let folder = NSTemporaryDirectory() + "order-desk-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try OrderStore(OrderStoreConfiguration(path: folder + "/orders.sqlite"))
    do { try await body(OrderLogic(store: store, rules: rules)) } catch {
        await store.close()
        throw error
    }
    await store.close()
}
