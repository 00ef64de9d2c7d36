import Foundation
import OrderProtos
import OrderStore
import OrderStoring
import SwiftProtobuf
import Testing

@testable import OrderServerKit

struct OrderLogicTests {
    @Test("Makes, finds and lists an order")
    func happyPath() async throws {
        try await withLogic { logic in
            let made = try await logic.make(request(100, "apple"))
            #expect(made.retCode == 0)
            #expect(made.resInfo == "OK")
            #expect(OrderID(made.orderID) != nil)

            let found = try await logic.query(.with { $0.orderID = made.orderID })
            #expect(found.retCode == 0)
            #expect(found.order.price == 100)
            #expect(found.order.goods == "apple")
            #expect(
                try await logic.list(listOrdersRequest(), for: TestCall()).orders == [found.order])
        }
    }

    @Test(
        "Refuses an order that breaks a rule with a normal response and the code of the rule",
        arguments: [
            (9, "apple", Int32(-1)), (0, "apple", -1), (-5, "apple", -1), (.min, "apple", -1),
            (9, "", -1), (10, "", -2), (10, String(repeating: "x", count: 1025), -4),
            (10, "a\0b", -4), (10, "apple", 0), (10, String(repeating: "x", count: 1024), 0),
            (.max, "apple", 0),
        ] as [(Int32, String, Int32)])
    func rules(price: Int32, goods: String, code: Int32) async throws {
        try await withLogic { logic in
            let response = try await logic.make(request(price, goods))
            #expect(response.retCode == code)
            #expect(response.orderID.isEmpty == (code != 0))
            #expect(response.resInfo.isEmpty == false)
            #expect(
                try await logic.list(listOrdersRequest(), for: TestCall()).orders.count
                    == (code == 0 ? 1 : 0))
        }
    }

    @Test("A price below 10 is refused with short balance, as by the original")
    func shortBalance() async throws {
        try await withLogic { logic in
            let response = try await logic.make(request(9, "apple"))
            #expect(response.resInfo == "short balance")
        }
    }

    @Test("The same key returns the same order, and another price with it is refused")
    func idempotency() async throws {
        try await withLogic { logic in
            let first = try await logic.make(request(100, "apple"), idempotencyKey: "k")
            #expect(try await logic.make(request(100, "apple"), idempotencyKey: "k") == first)
            let other = try await logic.make(request(101, "apple"), idempotencyKey: "k")
            #expect(other.retCode == -6)
            #expect(other.resInfo.contains(first.orderID))
        }
    }

    @Test(
        "Refuses an invalid key", arguments: ["", "a\0", String(repeating: "k", count: 129)])
    func badKeys(key: String) async throws {
        try await withLogic { logic in
            let response = try await logic.make(request(100, "a"), idempotencyKey: key)
            #expect(response.retCode == -7)
        }
    }

    @Test("Refuses an unknown id", arguments: ["", "x", "202611210000000001"])
    func unknownID(id: String) async throws {
        try await withLogic { logic in
            let response = try await logic.query(.with { $0.orderID = id })
            #expect(response.retCode == -3)
            #expect(!response.resInfo.isEmpty)
            #expect(!response.hasOrder)
        }
    }

    @Test("Pages have the requested size within the limit")
    func pageSizes() async throws {
        var rules = OrderRules()
        rules.defaultPageSize = 2
        rules.maxPageSize = 3
        try await withLogic(rules: rules) { logic in
            for _ in 0..<5 { _ = try await logic.make(request(10, "apple")) }
            for (requested, expected) in [(0, 2), (-1, 2), (1, 1), (3, 3), (1000, 3)]
                as [(Int32, Int)]
            {
                let page = try await logic.list(
                    .with { $0.pageSize = requested }, for: TestCall())
                #expect(page.orders.count == expected)
                #expect(!page.nextPageToken.isEmpty)
            }
        }
    }

    @Test("All pages together have every order once")
    func paging() async throws {
        try await withLogic { logic in
            var made: [String] = []
            for _ in 0..<5 { made.append(try await logic.make(request(10, "apple")).orderID) }
            var listed: [String] = []
            var query = listOrdersRequest.with { $0.pageSize = 2 }
            repeat {
                let page = try await logic.list(query, for: TestCall())
                listed += page.orders.map(\.orderID)
                query.pageToken = page.nextPageToken
            } while !query.pageToken.isEmpty
            #expect(listed == made)
        }
    }

    @Test("Refuses a page token of another format")
    func badToken() async throws {
        try await withLogic { logic in
            let response = try await logic.list(
                .with { $0.pageToken = "17" }, for: TestCall())
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

private func withLogic(
    rules: OrderRules = OrderRules(), _ body: (OrderLogic) async throws -> Void
) async throws {
    let folder = NSTemporaryDirectory() + "order-logic-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try OrderStore(OrderStoreConfiguration(path: folder + "/orders.sqlite"))
    do { try await body(OrderLogic(store: store, rules: rules)) } catch {
        await store.close()
        throw error
    }
    await store.close()
}

/// A call that ends as soon as it has its page.
private struct TestCall: OrderPageCaller {
    var source: ObjectIdentifier? { nil }
    var isCancelled: Bool { false }
    func onEnd(_ body: @escaping @Sendable () -> Void) { body() }
}
