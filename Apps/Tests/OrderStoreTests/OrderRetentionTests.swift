import Foundation
import OrderStoring
import RocketBaseTestKit
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

struct OrderRetentionTests {
    private static let day = Duration.seconds(86_400)

    @Test("Orders older than the retention are moved to the files of their months, others stay")
    func archive() async throws {
        let setup = try Setup(days: 30)
        let old = try await setup.make(3)
        setup.time.advance(by: Self.day * 31)
        let february = try await setup.make(2)
        setup.time.advance(by: Self.day * 31)
        let young = try await setup.make(1)
        let store = try setup.open()
        await setup.events.wait(forCount: 3)
        let files = [setup.file("202601"), setup.file("202602")]
        #expect(
            setup.events.all.suffix(2) == [
                .ordersArchived(3, file: files[0]), .ordersArchived(2, file: files[1]),
            ])
        #expect(try await store.orders(limit: 10).orders == young)
        #expect(try await store.order(old[0].id) == nil)
        #expect(try setup.archived("202601") == old.map(\.id.sequence))
        #expect(try setup.archived("202602") == february.map(\.id.sequence))
        // Ids go on, also when the store is empty.
        #expect(try await store.make(setup.draft).id.sequence == 7)
        await store.close()
        var status = stat()
        #expect(stat(files[0], &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test("Without an archive old orders are deleted; without a retention nothing is")
    func deletion() async throws {
        let setup = try Setup(days: 30, hasArchive: false)
        _ = try await setup.make(3)
        setup.time.advance(by: Self.day * 31)
        let store = try setup.open()
        await setup.events.wait(forCount: 2)
        #expect(setup.events.all.last == .ordersDeleted(3))
        #expect(try await store.orders(limit: 10).orders.isEmpty)
        await store.close()
        #expect(OrderRetention(OrderStoreConfiguration(path: "orders.sqlite")) == nil)
    }

    @Test("A store that is open removes orders when their time has come, once an hour")
    func running() async throws {
        let setup = try Setup(days: 30, hasArchive: false)
        let store = try setup.open()
        _ = try await store.make(setup.draft)
        setup.time.advance(by: Self.day * 30)
        // The transaction wakes the writer.
        _ = try await store.make(setup.draft)
        await setup.events.wait(forCount: 2)
        #expect(setup.events.all.last == .ordersDeleted(1))
        #expect(try await store.orders(limit: 10).orders.count == 1)
        await store.close()
    }

    @Test("A crash between archive and deletion loses and doubles nothing")
    func crash() async throws {
        let setup = try Setup(days: 30)
        let old = try await setup.make(3)
        setup.time.advance(by: Self.day * 31)
        let pool = try DatabasePool(path: setup.configuration.path)
        var retention = try #require(OrderRetention(setup.configuration))
        // The archive has them, and the process ends before the deletion.
        let events = retention.step(in: pool, time: setup.time) {
            _ throws(OrderStoreError) in throw .closed
        }
        #expect(events.isEmpty)
        try pool.close()
        #expect(try setup.archived("202601") == old.map(\.id.sequence))
        let report = try OrderStore.checkIntegrity(ofFileAt: setup.configuration.path)
        #expect(report.orders == 3)

        let store = try setup.open()
        await setup.events.wait(forCount: 2)
        #expect(try await store.orders(limit: 10).orders.isEmpty)
        #expect(try setup.archived("202601") == old.map(\.id.sequence))
        await store.close()
    }

    @Test("Another order with the same number in the archive stops the deletion")
    func conflict() async throws {
        let setup = try Setup(days: 30)
        _ = try await setup.make(1)
        setup.time.advance(by: Self.day * 31)
        let first = try setup.open()
        await setup.events.wait(forCount: 2)
        await first.close()
        try DatabaseQueue(path: setup.file("202601")).write { db in
            try db.execute(sql: "UPDATE orders SET price = price + 1")
        }
        // The same order again, as by a restore.
        let other = try Setup(days: 30, archive: setup.configuration.archiveFolder)
        _ = try await other.make(1)
        other.time.advance(by: Self.day * 31)
        let store = try other.open()
        await other.events.wait(forCount: 2)
        guard case .archiveFails(let reason)? = other.events.all.last else {
            Issue.record("\(other.events.all)")
            return await store.close()
        }
        #expect(reason.contains("another order"))
        #expect(try await store.orders(limit: 10).orders.count == 1)
        await store.close()
    }

    @Test("An archive that can't be written stops the deletion and is reported")
    func noArchive() async throws {
        let setup = try Setup(days: 30, archive: "/proc/no/such")
        _ = try await setup.make(1)
        setup.time.advance(by: Self.day * 31)
        let store = try setup.open()
        await setup.events.wait(forCount: 2)
        guard case .archiveFails(let reason)? = setup.events.all.last else {
            Issue.record("\(setup.events.all)")
            return await store.close()
        }
        #expect(reason.contains("/proc/no"))
        #expect(try await store.orders(limit: 10).orders.count == 1)
        await store.close()
    }

    @Test("An order is kept as long as its key, and a wrong clock does not stop the others")
    func kept() async throws {
        let setup = try Setup(days: 1, hasArchive: false) { $0.keyRetention = Self.day * 3 }
        let start = setup.time.wall()
        let keyed = OrderDraft(price: 10, goods: "apple", idempotencyKey: "k")
        setup.time.setWall(WallTime(nanoseconds: start.nanoseconds + (Self.day * 1000).nanoseconds))
        let future = try await setup.make(OrderRetention.ordersPerStep + 10)
        setup.time.setWall(start)
        let first = try await setup.make(1, keyed)
        _ = try await setup.make(5)
        setup.time.advance(by: Self.day * 2)
        let store = try setup.open()
        await setup.events.wait(forCount: 2)
        #expect(setup.events.all.last == .ordersDeleted(5))
        let left = try await store.orders(limit: 1000).orders
        #expect(left.count == future.count + 1 && (left == future + first))
        #expect(try await store.make(keyed) == first[0])
        setup.time.advance(by: Self.day * 2)
        _ = try await store.make(setup.draft)
        await setup.events.wait(forCount: 3)
        #expect(setup.events.all.last == .ordersDeleted(1))
        await store.close()
        let report = try OrderStore.checkIntegrity(ofFileAt: setup.configuration.path)
        #expect(report.isSound && report.keys == 0)
    }

    @Test("Orders that an unfinished pass has removed are reported when the store is closed")
    func unfinishedPass() async throws {
        let setup = try Setup(days: 1, hasArchive: false)
        _ = try await setup.make(OrderRetention.ordersPerStep + 1)
        setup.time.advance(by: Self.day * 2)
        let database = try OrderDatabase.open(setup.configuration)
        let writer = OrderWriter(
            pool: database.pool, files: database.files, configuration: setup.configuration,
            time: setup.time, observe: setup.events.observe)
        // The step behind this order is the only one before the end.
        _ = await withCheckedContinuation { caller in
            _ = writer.queue.append(WriteRequest(draft: setup.draft, caller: caller))
            writer.queue.close()
            writer.run()
        }
        #expect(setup.events.all == [.ordersDeleted(OrderRetention.ordersPerStep)])
        try database.pool.close()
    }

    @Test("A reader of an archive stops the deletion, and the writer hardly waits for it")
    func archiveReader() async throws {
        let setup = try Setup(days: 30)
        let old = try await setup.make(2)
        setup.time.advance(by: Self.day * 31)
        let pool = try DatabasePool(path: setup.configuration.path)
        var archive = OrderArchive(
            folder: try #require(setup.configuration.archiveFolder), vfs: nil)
        _ = try archive.store(Array(old.prefix(1)))
        archive.close()
        var retention = try #require(OrderRetention(setup.configuration))
        try DatabaseQueue(path: setup.file("202601")).read { db in
            _ = try Row.fetchOne(db, sql: "SELECT * FROM orders")
            let events = retention.step(in: pool, time: setup.time) { _ in }
            if case .archiveFails? = events.first {} else { Issue.record("\(events)") }
        }
        #expect(OrderArchive.busyMode == .timeout(0.05))
        let events = retention.step(in: pool, time: setup.time) { _ in }
        #expect(events == [.ordersArchived(2, file: setup.file("202601"))])
        try pool.close()
    }

    @Test("An order that can't be read is kept and reported, and does not stop the deletion")
    func unreadableOrder() async throws {
        let setup = try Setup(days: 30, hasArchive: false)
        _ = try await setup.make(3)
        setup.time.advance(by: Self.day * 31)
        let pool = try DatabasePool(path: setup.configuration.path)
        try pool.write { db in
            try db.execute(sql: "UPDATE orders SET price = 1 << 40 WHERE sequence = 3")
        }
        var retention = try #require(OrderRetention(setup.configuration))
        var deleted: [Int64] = []
        let events = retention.step(in: pool, time: setup.time) { deleted += $0 }
        #expect(deleted == [1, 2] && events == [.ordersDeleted(2)])
        try pool.close()
        let report = try OrderStore.checkIntegrity(ofFileAt: setup.configuration.path)
        #expect(report.newest?.sequence == 3 && report.orders == 3)
        #expect(
            report.problems == [
                "orders with a price out of range, which can't be read: 1, the first with the "
                    + "sequence number 3"
            ])
    }

    @Test("A step removes a limited number of orders")
    func steps() async throws {
        let setup = try Setup(days: 1, hasArchive: false)
        _ = try await setup.make(OrderRetention.ordersPerStep + 1)
        setup.time.advance(by: Self.day * 2)
        let pool = try DatabasePool(path: setup.configuration.path)
        var retention = try #require(OrderRetention(setup.configuration))
        var deleted: [Int] = []
        for _ in 0..<2 {
            _ = retention.step(in: pool, time: setup.time) { sequences in
                deleted.append(sequences.count)
            }
        }
        #expect(deleted == [OrderRetention.ordersPerStep, 1])
        #expect(retention.due == setup.time.monotonic() + OrderRetention.interval)
        try pool.close()
    }
}

/// A store with a retention, and its clock.
private final class Setup {
    let time = ManualTimeSource()
    let events = EventRecorder()
    let draft = OrderDraft(price: 10, goods: "apple")
    let configuration: OrderStoreConfiguration
    private let folder: TemporaryFolder

    init(
        days: Int, hasArchive: Bool = true, archive: String? = nil,
        configure: (inout OrderStoreConfiguration) -> Void = { _ in }
    ) throws {
        folder = try TemporaryFolder()
        var configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        configuration.retention = .seconds(days * 86_400)
        configuration.archiveFolder = hasArchive ? archive ?? folder.path + "/archive" : nil
        configure(&configuration)
        self.configuration = configuration
    }

    func open() throws -> OrderStore {
        events.observe(.created)
        return try OrderStore(configuration, time: time) { [events] event in
            if event != .created { events.observe(event) }
        }
    }

    /// Makes orders now, in a store that removes none.
    func make(_ count: Int, _ draft: OrderDraft? = nil) async throws -> [Order] {
        var configuration = configuration
        configuration.retention = .zero
        let store = try OrderStore(configuration, time: time)
        var orders: [Order] = []
        for _ in 0..<count { orders.append(try await store.make(draft ?? self.draft)) }
        await store.close()
        return orders
    }

    func file(_ month: String) -> String {
        "\(configuration.archiveFolder ?? "")/orders-\(month).sqlite"
    }

    func archived(_ month: String) throws -> [Int64] {
        let queue = try DatabaseQueue(path: file(month))
        defer { try? queue.close() }
        return try queue.read {
            try Int64.fetchAll($0, sql: "SELECT sequence FROM orders ORDER BY sequence")
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 { wholeNanoseconds }
}
