import Foundation
import OrderStoring
import RocketBaseTestKit
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

/// Restores and copies after the states on disk that crashes leave.
struct OrderRestoreTests {
    private let draft = OrderDraft(price: 10, goods: "apple")

    @Test("A rollback journal of the old store is not played back into the restored one")
    func rollbackJournal() async throws {
        let setup = try Setup()
        try await setup.make(50, goods: String(repeating: "x", count: 4000))
        _ = try OrderStore.backUp(fileAt: setup.path, to: setup.copy)
        // The state of a process that was killed in a transaction.
        let crashed = setup.folder.path + "/crashed.sqlite"
        let queue = try DatabaseQueue(path: setup.path)
        try queue.writeWithoutTransaction { db in
            _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
            try db.execute(sql: "PRAGMA cache_size = 2; BEGIN IMMEDIATE; DELETE FROM orders")
            for suffix in ["", "-journal"] {
                try FileManager.default.copyItem(
                    atPath: setup.path + suffix, toPath: crashed + suffix)
            }
            try db.execute(sql: "ROLLBACK")
        }
        try queue.close()
        let damaged = setup.folder.path + "/damaged.sqlite"
        try Data("no store".utf8).write(to: URL(fileURLWithPath: damaged))
        try FileManager.default.copyItem(
            atPath: crashed + "-journal", toPath: damaged + "-journal")

        for path in [crashed, damaged] {
            let old = try OrderStore.restore(fileAt: path, from: setup.copy)
            #expect((old.idProblem == nil) == (path == crashed))
            #expect(!FileSystem.exists(path + "-journal"))
            let store = try OrderStore(OrderStoreConfiguration(path: path))
            #expect(try await store.orders(limit: 100).orders.count == 50)
            #expect(try await store.make(draft).id.sequence == 51)
            await store.close()
        }
    }

    @Test("Beside a rollback journal no store is created")
    func journalAlone() throws {
        let setup = try Setup()
        try Data("journal".utf8).write(to: URL(fileURLWithPath: setup.path + "-journal"))
        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore(OrderStoreConfiguration(path: setup.path))
        }
        #expect(error?.description.contains("rollback journal") == true)
        #expect(!FileSystem.exists(setup.path))
    }

    @Test("A restore that is repeated after a crash between its renames gives no id twice")
    func repeatedRestore() async throws {
        let setup = try Setup()
        try await setup.make(1)
        _ = try OrderStore.backUp(fileAt: setup.path, to: setup.copy)
        try await setup.make(2)
        let kept = setup.path + ".before-20260101T000000Z"
        _ = try OrderStore.restore(
            fileAt: setup.path, from: setup.copy, time: ManualTimeSource())
        for name in [kept, nil] {
            // The next crash also loses the kept file; the copy has its counter.
            try FileSystem.rename(setup.path, to: setup.path + OrderStore.restoreSuffix)
            if name == nil { try FileSystem.remove(kept) }
            // A repetition that fails leaves the state as it is.
            #expect(throws: OrderStoreError.self) {
                try OrderStore.restore(fileAt: setup.path, from: setup.folder.path + "/none")
            }
            let result = try OrderStore.restore(fileAt: setup.path, from: setup.copy)
            #expect(result.old == name && result.idProblem == nil)
        }
        let store = try OrderStore(OrderStoreConfiguration(path: setup.path))
        #expect(try await store.make(draft).id.sequence == 4)
        await store.close()
    }

    @Test("A restore that is repeated after a crash gives the log the name of its database")
    func repeatedRestoreOfLog() async throws {
        let setup = try Setup()
        let store = try OrderStore(OrderStoreConfiguration(path: setup.path))
        _ = try await store.make(draft)
        _ = try OrderStore.backUp(fileAt: setup.path, to: setup.copy)
        _ = try await store.make(draft)
        // The renames of the database and of the copy; that of the log is missing.
        let path = setup.folder.path + "/killed.sqlite"
        let kept = path + ".before-20260101T000000Z"
        for (from, to) in [
            (setup.path, kept), (setup.path + "-wal", path + "-wal"),
            (setup.copy, path + OrderStore.restoreSuffix),
        ] { try FileManager.default.copyItem(atPath: from, toPath: to) }
        await store.close()
        let result = try OrderStore.restore(fileAt: path, from: setup.copy)
        #expect(result.old == kept && FileSystem.exists(kept + "-wal"))
        #expect(try OrderStore.checkIntegrity(ofFileAt: kept).orders == 2)
        let restored = try OrderStore(OrderStoreConfiguration(path: path))
        #expect(try await restored.make(draft).id.sequence == 3)
        await restored.close()
    }

    @Test("A copy does not overwrite the one before it, of which a crash has left a second name")
    func secondName() async throws {
        let setup = try Setup()
        try await setup.make(3)
        _ = try OrderStore.backUp(fileAt: setup.path, to: setup.copy)
        let other = setup.folder.path + "/other.sqlite"
        #expect(try FileSystem.link(setup.copy, as: other + ".part"))
        _ = try OrderStore.backUp(fileAt: setup.path, to: other)
        #expect(try OrderStore.checkIntegrity(ofFileAt: setup.copy).orders == 3)
        #expect(try FileSystem.status(of: setup.copy)?.linkCount == 1)
        #expect(try FileSystem.status(of: other)?.linkCount == 1)
        #expect(!FileSystem.exists(other + ".part"))
    }

    @Test("A copy has the owner of its process, whoever has made a file of the temporary name")
    func foreignPart() async throws {
        let setup = try Setup()
        try await setup.make(3)
        // Only root can make the owner another one.
        guard UserAccount.effectiveUID == 0 else { return }
        try Data("x".utf8).write(to: URL(fileURLWithPath: setup.copy + ".part"))
        try #require(chown(setup.copy + ".part", 61_234, 61_234) == 0)
        _ = try OrderStore.backUp(fileAt: setup.path, to: setup.copy)
        #expect(try FileSystem.status(of: setup.copy)?.uid == 0)
        #expect(try FileSystem.status(of: setup.copy)?.mode == 0o600)
        let names = try FileSystem.names(in: setup.folder.path)
        #expect(names.filter { $0.hasPrefix("copy") } == ["copy"])
    }

    @Test("A restored store belongs to the owner of the old one, or else of the folder")
    func owner() async throws {
        let setup = try Setup()
        try await setup.make(1)
        _ = try OrderStore.backUp(fileAt: setup.path, to: setup.copy)
        // Only root can make the owner another one.
        guard UserAccount.effectiveUID == 0 else { return }
        try #require(chown(setup.path, 61_234, 61_235) == 0)
        for uid: UInt32 in [61_234, 61_236] {
            _ = try OrderStore.restore(fileAt: setup.path, from: setup.copy)
            #expect(try FileSystem.status(of: setup.path)?.uid == uid)
            try FileSystem.remove(setup.path)
            try #require(chown(setup.folder.path, 61_236, 61_236) == 0)
        }
    }

    @Test("The second name of a store that was moved away does not become the next store")
    func secondNameOfStore() async throws {
        let setup = try Setup()
        try await setup.make(3)
        #expect(try FileSystem.link(setup.path, as: setup.path + ".new"))
        let moved = setup.folder.path + "/moved.sqlite"
        try FileSystem.rename(setup.path, to: moved)
        let store = try OrderStore(OrderStoreConfiguration(path: setup.path))
        #expect(try await store.orders(limit: 10).orders.isEmpty)
        await store.close()
        #expect(try OrderStore.checkIntegrity(ofFileAt: moved).orders == 3)
    }
}

/// A folder with a store, which is closed, and the name of a copy.
private struct Setup {
    let folder: TemporaryFolder
    var path: String { folder.path + "/orders.sqlite" }
    var copy: String { folder.path + "/copy" }

    init() throws { folder = try TemporaryFolder() }

    func make(_ count: Int, goods: String = "apple") async throws {
        let store = try OrderStore(OrderStoreConfiguration(path: path))
        for _ in 0..<count { _ = try await store.make(OrderDraft(price: 10, goods: goods)) }
        await store.close()
    }
}
