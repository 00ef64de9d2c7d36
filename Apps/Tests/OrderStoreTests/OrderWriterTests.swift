import Foundation
import OrderStoring
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

/// Runs the writer on the test's own thread: first fills the queue, then `run` commits everything.
struct OrderWriterTests {
    @Test("Commits all waiting orders in one transaction")
    func groupCommit() async throws {
        let (writer, results) = try await write(100) { _ in }
        #expect(results.count == 100)
        #expect(Set(results.compactMap { try? $0.get().id }).count == 100)
        #expect(writer.statistics.transactions == 1)
        #expect(writer.statistics.orders == 100)
    }

    @Test("A transaction has no more orders than configured")
    func batchLimit() async throws {
        let (writer, _) = try await write(100) { $0.maxBatch = 30 }
        #expect(writer.statistics.transactions == 4)
        #expect(writer.statistics.orders == 100)
    }

    @Test("Refuses an order beyond its connection's share at once, and stores the others")
    func bounded() async throws {
        let (writer, results) = try await write(100, accepted: 60) { $0.maxWaiting = 120 }
        #expect(results.filter { $0 == .failure(.tooManyWaiting(60)) }.count == 40)
        #expect(writer.statistics.orders == 60)
    }

    @Test("The same key twice in one transaction makes one order")
    func repeatedWithinBatch() async throws {
        let (writer, results) = try await write(10, key: "k") { _ in }
        #expect(Set(results.map { try? $0.get() }).count == 1)
        #expect(writer.statistics.orders == 1)
        #expect(writer.statistics.repeats == 9)
    }

    private func write(
        _ count: Int, key: String? = nil, accepted: Int? = nil,
        configure: (inout OrderStoreConfiguration) -> Void
    ) async throws -> (OrderWriter, [Result<Order, OrderStoreError>]) {
        let folder = try TemporaryFolder()
        var configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        configure(&configuration)
        let database = try OrderDatabase.open(configuration)
        let writer = OrderWriter(
            pool: database.pool, files: database.files, configuration: configuration,
            time: SystemTimeSource())
        let results = await withTaskGroup(of: Result<Order, OrderStoreError>.self) { group in
            for _ in 0..<count {
                group.addTask { await Self.submit(key: key, to: writer) }
            }
            let expected = accepted ?? count
            while writer.queue.count < expected { await Task.yield() }
            // Collects the refused requests, which have their results already.
            var results: [Result<Order, OrderStoreError>] = []
            for _ in expected..<count {
                if let result = await group.next() { results.append(result) }
            }
            writer.queue.close()
            writer.run()
            for await result in group { results.append(result) }
            return results
        }
        try database.pool.close()
        withExtendedLifetime(folder) {}
        return (writer, results)
    }

    private static func submit(
        key: String?, to writer: OrderWriter
    ) async -> Result<Order, OrderStoreError> {
        await withCheckedContinuation { caller in
            let draft = OrderDraft(price: 10, goods: "apple", idempotencyKey: key)
            let admission = writer.queue.append(WriteRequest(draft: draft, caller: caller))
            if case .full(let waiting) = admission {
                caller.resume(returning: .failure(.tooManyWaiting(waiting)))
            }
        }
    }
}
