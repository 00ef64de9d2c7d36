import Foundation
import OrderStoring
import RocketBaseTestKit
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

/// A disk that fails, and files that are no longer those that were opened.
struct OrderStoreOutageTests {
    private let draft = OrderDraft(price: 10, goods: "apple")

    @Test("A disk that fails is reported once, and again with counts when it has recovered")
    func outage() async throws {
        let writer = try RunningWriter(retryInterval: .milliseconds(1))
        _ = try await writer.submit(draft).get()
        writer.disk.fail(.SQLITE_IOERR_FSYNC)
        for _ in 0..<3 { #expect(await writer.submit(draft).isOutcomeUnknown) }
        #expect(writer.events.all.count == 1)
        guard case .writesFail(.outcomeUnknown)? = writer.events.all.first else {
            Issue.record("\(writer.events.all)")
            return await writer.end()
        }
        writer.disk.fail(nil)
        _ = try await writer.submit(draft).get()
        writer.time.advance(by: OrderWriter.settleInterval)
        await writer.events.wait(forCount: 2)
        guard case .writesRecovered(_, orders: 3)? = writer.events.all.last else {
            Issue.record("\(writer.events.all)")
            return await writer.end()
        }
        #expect(writer.statistics.failures >= 3)
        await writer.end()
    }

    @Test("A disk that fails and recovers at a high rate has one outage")
    func flapping() async throws {
        let writer = try RunningWriter(retryInterval: .milliseconds(1))
        for _ in 0..<20 {
            writer.disk.fail(.SQLITE_FULL)
            #expect(await writer.submit(draft) == .failure(.diskFull))
            writer.disk.fail(nil)
            _ = try await writer.submit(draft).get()
            writer.time.advance(by: OrderWriter.settleInterval - .milliseconds(1))
            // An attempt that succeeds, and is too early.
            let transactions = writer.statistics.transactions
            while writer.statistics.transactions == transactions { await writer.probe() }
        }
        #expect(writer.events.all == [.writesFail(.diskFull)])
        writer.time.advance(by: .milliseconds(1))
        await writer.events.wait(forCount: 2)
        guard case .writesRecovered(_, orders: 20)? = writer.events.all.last else {
            Issue.record("\(writer.events.all)")
            return await writer.end()
        }
        await writer.end()
    }

    @Test("A store that fails recovers without an order, and stores none for it")
    func retry() async throws {
        let writer = try RunningWriter(retryInterval: .milliseconds(1))
        writer.disk.fail(.SQLITE_IOERR_WRITE)
        _ = await writer.submit(draft)
        writer.disk.fail(nil)
        writer.time.advance(by: OrderWriter.settleInterval)
        await writer.events.wait(forCount: 2)
        guard case .writesRecovered(_, orders: 1)? = writer.events.all.last else {
            Issue.record("\(writer.events.all)")
            return await writer.end()
        }
        #expect(try await writer.submit(draft).get().id.sequence == 1)
        await writer.end()
    }

    @Test("An outage that begins with the removal of old orders ends without an order, too")
    func removal() async throws {
        let writer = try RunningWriter(retryInterval: .milliseconds(1)) {
            $0.retention = .seconds(86_400)
        }
        _ = try await writer.submit(draft).get()
        writer.time.advance(by: .seconds(2 * 86_400))
        // The order is stored, then the removal of the old one fails.
        writer.disk.fail(.SQLITE_IOERR_WRITE, afterCommits: 1)
        _ = try await writer.submit(draft).get()
        await writer.events.wait(forCount: 1)
        writer.disk.fail(nil)
        writer.time.advance(by: OrderWriter.settleInterval)
        await writer.events.wait(forCount: 2)
        guard case .writesRecovered(_, orders: 0)? = writer.events.all.last else {
            Issue.record("\(writer.events.all)")
            return await writer.end()
        }
        await writer.end()
    }

    @Test("A known key does not end an outage, since nothing is written for it")
    func repeats() async throws {
        let writer = try RunningWriter { $0.maxPages = 40 }
        let known = OrderDraft(price: 10, goods: "apple", idempotencyKey: "k")
        let order = try await writer.submit(known).get()
        let large = OrderDraft(price: 10, goods: String(repeating: "x", count: 100_000))
        for _ in 0..<10 { _ = await writer.submit(large) }
        #expect(writer.events.all == [.writesFail(.diskFull)])
        #expect(try await writer.submit(known).get() == order)
        #expect(writer.events.all == [.writesFail(.diskFull)])
        await writer.end()
    }

    @Test(
        "Neither probes nor known keys keep a store that fails from trying again",
        arguments: [false, true])
    func busyRetry(repeatsKey: Bool) async throws {
        let writer = try RunningWriter()
        let known = OrderDraft(price: 10, goods: "apple", idempotencyKey: "k")
        _ = try await writer.submit(known).get()
        writer.disk.fail(.SQLITE_IOERR_WRITE)
        _ = await writer.submit(draft)
        writer.disk.fail(nil)
        writer.time.advance(by: OrderWriter.settleInterval)
        for _ in 0..<1000 where writer.events.all.count < 2 {
            if repeatsKey { _ = await writer.submit(known) } else { await writer.probe() }
        }
        #expect(writer.events.all.count == 2)
        await writer.end()
    }

    @Test("A store that goes on failing tries again once per interval of its clock, no more often")
    func retryInterval() async throws {
        let writer = try RunningWriter(retryInterval: .milliseconds(1))
        writer.disk.fail(.SQLITE_IOERR_WRITE)
        _ = await writer.submit(draft)
        for attempt in 1...3 {
            writer.time.advance(by: .milliseconds(1))
            while writer.statistics.failures < 1 + attempt { await writer.probe() }
            for _ in 0..<100 { await writer.probe() }
            #expect(writer.disk.commits == 1 + attempt)
        }
        await writer.end()
    }

    @Test("Files that are lost during an outage are reported")
    func lostInOutage() async throws {
        let writer = try RunningWriter()
        writer.disk.fail(.SQLITE_IOERR_WRITE)
        _ = await writer.submit(draft)
        writer.disk.fail(nil)
        try FileManager.default.removeItem(atPath: writer.path)
        for _ in 0..<2 { _ = await writer.submit(draft) }
        #expect(writer.events.all.count == 2)
        #expect(writer.events.all.last == .writesFail(.filesLost("orders.sqlite was deleted")))
        await writer.end()
    }

    @Test("Files that can't be examined are a failure that ends, and not lost")
    func unknownFiles() async throws {
        let writer = try RunningWriter()
        let folder = URL(fileURLWithPath: writer.path).deletingLastPathComponent().path
        let files = FileManager.default
        try files.moveItem(atPath: folder, toPath: folder + ".moved")
        // Points to itself: ELOOP.
        try files.createSymbolicLink(atPath: folder, withDestinationPath: folder)
        let result = await writer.submit(draft)
        #expect(result.isOutcomeUnknown && result.errorText.contains("stat orders.sqlite: ELOOP"))
        try files.removeItem(atPath: folder)
        try files.moveItem(atPath: folder + ".moved", toPath: folder)
        _ = try await writer.submit(draft).get()
        #expect(writer.events.all.count == 1)
        await writer.end()
    }

    @Test("The text of a failure says whether the order may be stored")
    func texts() async throws {
        let writer = try RunningWriter()
        for (code, isOpen) in [
            (ResultCode.SQLITE_IOERR_FSYNC, true), (.SQLITE_IOERR_WRITE, true),
            (.SQLITE_FULL, false), (.SQLITE_BUSY, false),
        ] {
            writer.disk.fail(code)
            let result = await writer.submit(draft)
            #expect(result.isOutcomeUnknown == isOpen, "\(code)")
            let text = result.errorText
            #expect(text.contains("nothing was stored") != isOpen, "\(text)")
            #expect(text.contains("may or may not be stored") == isOpen, "\(text)")
        }
        await writer.end()
    }

    @Test(
        "Confirms no order once a file is deleted, replaced or emptied, and leaves the rest as it is",
        arguments: ["", "-wal", "-shm"], ["deleted", "replaced"])
    func lostFile(suffix: String, how: String) async throws {
        let events = EventRecorder()
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        let store = try OrderStore(OrderStoreConfiguration(path: path), observe: events.observe)
        let first = try await store.make(draft)
        try FileManager.default.removeItem(atPath: path + suffix)
        let other = Data("another file".utf8)
        if how == "replaced" { try other.write(to: URL(fileURLWithPath: path + suffix)) }

        let name = "orders.sqlite" + suffix
        await #expect(throws: OrderStoreError.outcomeUnknown(reason: "\(name) was \(how)")) {
            try await store.make(draft)
        }
        await #expect(throws: OrderStoreError.filesLost("\(name) was \(how)")) {
            try await store.make(draft)
        }
        // Reads are still right.
        #expect(try await store.order(first.id) == first)
        await store.close()
        #expect(
            events.all == [
                .created, .writesFail(.filesLost("\(name) was \(how)")),
                .notCheckpointed("the store has lost its files"),
            ])
        let found = FileManager.default.contents(atPath: path + suffix)
        #expect(found == (how == "replaced" ? other : nil))
        withExtendedLifetime(folder) {}
    }

    @Test("Confirms no order once a file is emptied", arguments: ["", "-wal"])
    func emptiedFile(suffix: String) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        let store = try OrderStore(OrderStoreConfiguration(path: path))
        for _ in 0..<3 { _ = try await store.make(draft) }
        #expect(truncate(path + suffix, 0) == 0)
        await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
        await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
        await store.close()
        withExtendedLifetime(folder) {}
    }

    @Test("A log that another process has emptied by a checkpoint is no fault")
    func foreignCheckpoint() async throws {
        try await withStore { store in
            for _ in 0..<3 {
                _ = try await store.make(draft)
                let other = try otherConnection(to: store)
                try other.writeWithoutTransaction { try $0.checkpoint(.truncate) }
                try other.close()
            }
            #expect(try await store.orders(limit: 10).orders.count == 3)
        }
    }

    @Test("A log that is empty is no fault of a transaction that has written nothing")
    func foreignCheckpointBeforeRepeat() async throws {
        try await withStore { store in
            let known = OrderDraft(price: 10, goods: "apple", idempotencyKey: "k")
            let order = try await store.make(known)
            let other = try otherConnection(to: store)
            try other.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            try other.close()
            #expect(try await store.make(known) == order)
            #expect(try await store.make(draft).id.sequence == 2)
        }
    }

    @Test("Refuses an empty file, and changes nothing")
    func emptyFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        try Data().write(to: URL(fileURLWithPath: path))
        try Data("frames".utf8).write(to: URL(fileURLWithPath: path + "-wal"))
        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore(OrderStoreConfiguration(path: path))
        }
        #expect(error?.description.contains("the file is empty") == true)
        #expect(FileManager.default.contents(atPath: path) == Data())
        #expect(FileManager.default.contents(atPath: path + "-wal") == Data("frames".utf8))
    }

    @Test("Refuses to begin a new store beside the log of a missing one")
    func logWithoutFile() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        try Data("frames".utf8).write(to: URL(fileURLWithPath: path + "-wal"))
        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore(OrderStoreConfiguration(path: path))
        }
        #expect(error?.description.contains("write-ahead log") == true)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("Tells that a store is new, and leaves nothing of its creation")
    func created() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        // What a crash while the store was created leaves.
        try Data().write(to: URL(fileURLWithPath: configuration.path + ".new"))
        let events = EventRecorder()
        for _ in 0..<2 {
            let store = try OrderStore(configuration, observe: events.observe)
            _ = try await store.make(draft)
            await store.close()
        }
        #expect(events.all == [.created])
        var status = stat()
        #expect(stat(configuration.path, &status) == 0)
        // For the owner only, whatever the umask.
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }

    @Test("A read that fails is reported at most once a minute, with a count")
    func readFailures() {
        var failures = ReadFailures()
        let start = MonotonicTime(nanoseconds: 0)
        #expect(failures.record(at: start) == 1)
        for second in 1..<60 { #expect(failures.record(at: start + .seconds(second)) == nil) }
        #expect(failures.record(at: start + .seconds(60)) == 60)
        #expect(failures.record(at: start + .seconds(61)) == nil)
    }

    @Test("A price that another program wrote out of range fails its own read only")
    func badPrice() async throws {
        let events = EventRecorder()
        let folder = try TemporaryFolder()
        let store = try OrderStore(
            OrderStoreConfiguration(path: folder.path + "/orders.sqlite"), observe: events.observe)
        let order = try await store.make(draft)
        let other = try otherConnection(to: store)
        try other.write { db in
            try db.execute(
                sql: "INSERT INTO orders(price, goods, created_ms) VALUES (1 << 40, '', 0)")
        }
        try other.close()
        await #expect(throws: OrderStoreError.self) { try await store.orders(limit: 10) }
        #expect(try await store.order(order.id) == order)
        guard case .readsFail(.readFailed, since: 1)? = events.all.last else {
            Issue.record("\(events.all)")
            return await store.close()
        }
        await store.close()
        withExtendedLifetime(folder) {}
    }
}

extension Result where Failure == OrderStoreError {
    fileprivate var isOutcomeUnknown: Bool {
        if case .failure(.outcomeUnknown) = self { true } else { false }
    }

    fileprivate var errorText: String {
        if case .failure(let error) = self { error.description } else { "" }
    }
}

extension ResultCode {
    /// fsync(2) has failed.
    fileprivate static let SQLITE_IOERR_FSYNC = ResultCode(rawValue: 1034)
    /// write(2) has failed.
    fileprivate static let SQLITE_IOERR_WRITE = ResultCode(rawValue: 778)
}
