import Foundation
import OrderStoreConformance
import OrderStoring
import Postgres
import RocketSystem
import Testing

@testable import PostgresOrderStore

/// A store that is closed while its database is silent.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct PostgresCloseTests {
    private let draft = OrderDraft(price: 10, goods: "apple")

    private func result(
        _ body: () async throws(OrderStoreError) -> Order?
    ) async -> Result<Order?, OrderStoreError> {
        do throws(OrderStoreError) { return .success(try await body()) } catch {
            return .failure(error)
        }
    }

    @Test("A store that is closed while the database is silent ends without it")
    func silent() async throws {
        let harness = try PostgresHarness()
        let proxy = try SocketProxy(to: harness.server.folder)
        let events = Locked<[OrderStoreEvent]>([])
        let store = try await harness.open(host: proxy.folder) {
            $0.closeTimeout = .milliseconds(100)
            $0.maxBatch = 1
            // Nothing but what the test sends.
            $0.keyRetention = .zero
            $0.followInterval = .seconds(3600)
            // It would end later, with another reason.
            $0.statementTimeout = .seconds(5)
        } settings: {
            var settings = ConformanceSettings()
            settings.observe = { event in events.withLock { $0.append(event) } }
            return settings
        }
        let first = try await store.make(draft)
        try FileManager.default.removeItem(atPath: proxy.folder)
        proxy.loseEverything()
        let calls = [
            Task { await result { () throws(OrderStoreError) in try await store.make(draft) } },
            Task { await result { () throws(OrderStoreError) in try await store.make(draft) } },
            Task { await result { () throws(OrderStoreError) in try await store.order(first.id) } },
        ]
        while proxy.lostRequests < 2 { await Task.yield() }
        await store.close()
        var results: [Result<Order?, OrderStoreError>] = []
        for call in calls { results.append(await call.value) }
        // One order is sent at a time.
        let unknown = OrderStoreError.outcomeUnknown(
            reason: "the database has not answered before the store was closed")
        #expect(results.prefix(2).filter { $0 == .failure(unknown) }.count == 1)
        #expect(results.prefix(2).filter { $0 == .failure(.closed) }.count == 1)
        #expect(results[2] == .failure(.closed))
        #expect(events.withLock { $0 } == [.writesFail(unknown)])
    }

    @Test("A lost transaction that is not found out before the end has an unknown outcome")
    func unknown() async throws {
        let harness = try PostgresHarness()
        let proxy = try SocketProxy(to: harness.server.folder)
        let store = try await harness.open(host: proxy.folder) {
            $0.closeTimeout = .milliseconds(100)
            $0.resolveTimeout = .seconds(5)
        }
        _ = try await store.make(draft)
        // No other connection is opened.
        try FileManager.default.removeItem(atPath: proxy.folder)
        proxy.loseReplies()
        let call = Task {
            await result { () throws(OrderStoreError) in try await store.make(draft) }
        }
        try await harness.wait(for: "2", "SELECT count(*) FROM orders")
        await store.close()
        let reason = "the database has not answered before the store was closed"
        #expect(await call.value == .failure(.outcomeUnknown(reason: reason)))
    }
}
