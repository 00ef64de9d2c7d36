import Foundation
import OrderStoring
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

/// A store as the source of a migration.
struct OrderStoreExportTests {
    private func fill(_ path: String, _ sql: String) throws {
        try DatabaseQueue(path: path).write { try $0.execute(sql: sql) }
    }

    private func withPath(_ body: (String) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        await (try OrderStore(OrderStoreConfiguration(path: path))).close()
        try await body(path)
        withExtendedLifetime(folder) {}
    }

    /// As many orders as SQL can count, with goods of so many bytes.
    private func orders(_ count: Int, bytes: Int) -> String {
        """
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < \(count))
        INSERT INTO orders(price, goods, created_ms)
        SELECT n, substr(hex(zeroblob(\(bytes))), 1, \(bytes)), 1000 + n FROM n
        """
    }

    @Test("Blocks have all orders with their keys, in their order, and the last one the end")
    func blocks() async throws {
        try await withPath { path in
            try fill(path, orders(OrderBlock.maxOrders * 2 + 5, bytes: 1))
            try fill(
                path,
                "INSERT INTO idempotency_keys VALUES (1, 7, 'first'), (10001, 8, 'second')")
            let export = try OrderStoreExport(fileAt: path)
            #expect(export.orders == 20_005 && export.lastSequence == 20_005)
            #expect(export.newest?.sequence == 20_005)
            #expect(try export.count(through: 10_000) == 10_000)
            #expect(try export.createdMilliseconds(of: 5) == 1005)
            #expect(try export.createdMilliseconds(of: 50_000) == nil)
            let first = try export.block(after: 0)
            #expect(first.orders.count == OrderBlock.maxOrders && first.through == 10_000)
            #expect(first.idempotencyKeys.map(\.key) == ["first"])
            let second = try export.block(after: first.through)
            #expect(second.orders.first?.id.sequence == 10_001 && second.through == 20_000)
            #expect(
                second.idempotencyKeys.map(\.key) == ["second"]
                    && second.idempotencyKeys[0].createdMilliseconds == 8)
            let last = try export.block(after: second.through)
            #expect(last.orders.map(\.price) == [20_001, 20_002, 20_003, 20_004, 20_005])
            #expect(last.through == .max && last.idempotencyKeys.isEmpty)
        }
    }

    @Test("A block with much text ends early, and one order of any length fits")
    func bytes() async throws {
        try await withPath { path in
            try fill(path, orders(3, bytes: OrderBlock.fullBytes / 2))
            try fill(path, orders(1, bytes: OrderBlock.fullBytes * 3))
            let export = try OrderStoreExport(fileAt: path)
            #expect(try export.block(after: 0).through == 2)
            #expect(try export.block(after: 2).through == 4)
            let end = try export.block(after: 4)
            #expect(end.orders.isEmpty && end.through == .max)
        }
    }

    @Test("While a store is exported no server opens it, and a store that is open is not exported")
    func locked() async throws {
        try await withPath { path in
            do {
                let export = try OrderStoreExport(fileAt: path)
                #expect(throws: OrderStoreError.self) {
                    try OrderStore(OrderStoreConfiguration(path: path))
                }
                #expect(try export.block(after: 0).orders.isEmpty && export.newest == nil)
            }
            let store = try OrderStore(OrderStoreConfiguration(path: path))
            let error = #expect(throws: OrderStoreError.self) { try OrderStoreExport(fileAt: path) }
            guard case .inUse? = error else { throw try #require(error) }
            await store.close()
        }
    }

    @Test("A store that is not sound is not exported")
    func unsound() async throws {
        try await withPath { path in
            try fill(
                path, "INSERT INTO orders(price, goods, created_ms) VALUES (5000000000, 'a', 1)")
            let error = #expect(throws: OrderStoreError.self) { try OrderStoreExport(fileAt: path) }
            guard case .damaged? = error else { throw try #require(error) }
        }
    }
}
