import Foundation
import OrderProtos
import OrderStore
import OrderStoring
import RocketBase
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

@testable import OrderServerKit

/// `Order.watchOrders` of a real server on a port of its own.
@Suite("Watching orders")
struct OrderWatchesTests {
    private struct Running {
        let server: RPCServer
        let handler: OrderHandler
        let store: OrderStore
        let client: OrderClient

        func make(_ goods: String, key: String? = nil) async throws -> String {
            try await store.make(
                OrderDraft(price: 10, goods: goods, idempotencyKey: key)
            ).id.description
        }

        /// Makes orders at the same time.
        func make(_ count: Int, bytes: Int) async throws {
            let goods = String(repeating: "a", count: bytes)
            try await withThrowingTaskGroup { group in
                for _ in 0..<count { group.addTask { _ = try await make(goods) } }
                try await group.waitForAll()
            }
        }

        func watch(after id: String = "") async throws -> RPCMessageStream<OrderEvent> {
            try await client.watchOrders(.with { $0.afterOrderID = id })
        }

        /// A watch whose first event has arrived.
        func begun(
            after id: String = ""
        ) async throws -> RPCMessageStream<OrderEvent>.Iterator {
            let newest = try await ids().last ?? "0"
            var events = try await watch(after: id).makeAsyncIterator()
            let first = try await events.next()?.event
            #expect(first == .watchingAfter(id.isEmpty ? newest : id))
            return events
        }

        func ids() async throws -> [String] {
            try await store.orders(limit: 100_000).orders.map(\.id.description)
        }

        /// Waits until so many watches wait for orders.
        func waiting(_ count: Int) async {
            while handler.watches.waitingCount != count { await Task.yield() }
        }
    }

    private func withServer(
        maxWatches: Int = OrderWatches.maxWatches, _ body: (Running) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "order-watches-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try OrderStore(OrderStoreConfiguration(path: folder + "/orders.sqlite"))
        let handler = OrderHandler(logic: OrderLogic(store: store), maxWatches: maxWatches)
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        // A drain that waits for a watch fails the test.
        configuration.drainTimeout = .seconds(600)
        let server = try RPCServer(configuration: configuration, services: [handler])
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        var channels = RPCChannelConfiguration()
        channels.streams.windowBytes = 4096
        channels.timeout = .seconds(600)
        let channel = try RPCChannel(to: address, configuration: channels)
        do {
            try await body(
                Running(
                    server: server, handler: handler, store: store, client: OrderClient(channel)))
        } catch {
            Issue.record(error)
        }
        server.beginDrain()
        try await running.value
        channel.close()
        await store.close()
    }

    @Test("A watch without an id says where it begins, and has what is stored from then on")
    func fromNow() async throws {
        try await withServer { running in
            var first = try await running.begun()
            _ = try await running.make("apple")
            #expect(try await first.next()?.order.goods == "apple")

            var second = try await running.begun()
            let pear = try await running.make("pear")
            let order = try #require(try await first.next()?.order)
            #expect(order.orderID == pear && order.price == 10 && order.createdUnixMs > 0)
            #expect(try await second.next()?.order == order)
        }
    }

    @Test("What was stored and what comes have no hole between them, and nothing twice")
    func seam() async throws {
        try await withServer { running in
            try await running.make(100, bytes: 10)
            let watches = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var (ids, events) = ([String](), try await running.begun(after: "0"))
                        while ids.count < 700, let event = try await events.next() {
                            ids.append(event.order.orderID)
                        }
                        return ids
                    }
                }
                for _ in 0..<6 { try await running.make(100, bytes: 10) }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let stored = try await running.ids()
            #expect(stored.count == 700)
            for ids in watches { #expect(ids == stored) }
            var rest = try await running.begun(after: stored[698])
            #expect(try await rest.next()?.order.orderID == stored[699])
            await running.waiting(1)
            let next = try await running.make("next")
            #expect(try await rest.next()?.order.orderID == next)
        }
    }

    @Test("An order that its key returns again is not sent again")
    func repeats() async throws {
        try await withServer { running in
            var events = try await running.begun(after: "0")
            let first = try await running.make("a", key: "k")
            #expect(try await running.make("a", key: "k") == first)
            let second = try await running.make("b")
            #expect(try await events.next()?.order.orderID == first)
            #expect(try await events.next()?.order.orderID == second)
        }
    }

    @Test(
        "An id that is none, or that no order has had, is NOT_FOUND",
        arguments: ["x", "1", "202611210000000009", "102611210000000001"])
    func unknown(id: String) async throws {
        try await withServer { running in
            _ = try await running.make("a")
            let error = await #expect(throws: RPCError.self) {
                for try await _ in try await running.watch(after: id) {}
            }
            #expect(error?.code == .notFound)
        }
    }

    @Test("A slow reader has the newest orders, and the number of those that were dropped")
    func slowReader() async throws {
        try await withServer { running in
            var events = try await running.begun(after: "0")
            await running.waiting(1)
            try await running.make(2000, bytes: 1000)
            _ = try await running.make("last")
            var (received, dropped, last) = (0, 0, "")
            while received + dropped < 2001, let event = try await events.next() {
                switch event.event {
                case .order(let order):
                    #expect(order.orderID > last)
                    last = order.orderID
                    received += 1
                case .dropped(let count): dropped += Int(count)
                default: Issue.record("\(event)")
                }
            }
            #expect(dropped > 0 && received >= OrderWatches.maxWaiting)
            #expect(last == (try await running.ids().last))
        }
    }

    @Test(
        "A drain ends watches at once: one that waits, one behind the store, one that is not read")
    func drain() async throws {
        try await withServer { running in
            try await running.make(1000, bytes: 1000)
            let last = try #require(try await running.ids().last)
            var waiting = try await running.begun(after: last)
            var begun = try await running.begun(after: "0")
            #expect(try await begun.next()?.order.price == 10)
            await running.waiting(1)
            running.server.beginDrain()
            let error = await #expect(throws: RPCError.self) { _ = try await waiting.next() }
            #expect(error?.code == .unavailable)
            while running.handler.watches.count > 0 { await Task.yield() }
            let late = await #expect(throws: RPCError.self) {
                while try await begun.next() != nil {}
            }
            #expect(late?.code == .unavailable)
        }
    }

    @Test(
        "A watch more than may be is RESOURCE_EXHAUSTED, and another takes the place of one that ends"
    )
    func limit() async throws {
        try await withServer(maxWatches: 1) { running in
            var first: RPCMessageStream<OrderEvent>.Iterator? = try await running.begun()
            let error = await #expect(throws: RPCError.self) {
                for try await _ in try await running.watch() {}
            }
            #expect(error?.code == .resourceExhausted)
            withExtendedLifetime(first) {}
            first = nil
            while running.handler.watches.count > 0 { await Task.yield() }
            _ = try await running.begun()
        }
    }
}
