import Foundation
import OrderStoring
import RocketBaseTestKit
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

/// Copies of stores, and what replaces a store by one.
struct OrderBackupTests {
    private let draft = OrderDraft(price: 10, goods: "apple", idempotencyKey: nil)

    @Test("A copy that is made while orders are written has all that were confirmed before")
    func underLoad() async throws {
        try await withStore { store in
            let folder = try TemporaryFolder()
            var confirmed: [Order] = []
            for _ in 0..<50 { confirmed.append(try await store.make(draft)) }
            let isDone = FutexWord()
            let writers = Task { [draft] in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            while isDone.value == 0 { _ = try await store.make(draft) }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            for number in 0..<10 {
                let before = store.statistics.orders
                let file = folder.path + "/copy-\(number).sqlite"
                let report = try OrderStore.backUp(fileAt: store.configuration.path, to: file)
                #expect(report.isSound && report.orders >= before, "\(report)")
                #expect(report == (try OrderStore.checkIntegrity(ofFileAt: file)))
            }
            isDone.exchange(1)
            try await writers.value

            let copy = try OrderStore(
                OrderStoreConfiguration(path: folder.path + "/copy-0.sqlite"))
            for order in confirmed { #expect(try await copy.order(order.id) == order) }
            await copy.close()
        }
    }

    @Test("A copy is one file for its owner, and its progress ends at all of its bytes")
    func copyFile() async throws {
        try await withStore { store in
            for _ in 0..<10 { _ = try await store.make(draft) }
            let folder = try TemporaryFolder()
            let file = folder.path + "/copy.sqlite"
            let last = Locked<OrderStoreProgress?>(nil)
            let report = try OrderStore.backUp(fileAt: store.configuration.path, to: file) {
                progress in last.withLock { $0 = progress }
            }
            let progress = try #require(last.withLock { $0 })
            #expect(progress.bytes == progress.total && progress.total == report.bytes)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
            var status = stat()
            #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test("No file is overwritten, and a copy that fails leaves nothing")
    func refused() async throws {
        try await withStore { store in
            let folder = try TemporaryFolder()
            let file = folder.path + "/copy.sqlite"
            try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
            let path = store.configuration.path
            #expect(throws: OrderStoreError.self) { try OrderStore.backUp(fileAt: path, to: file) }
            #expect(FileManager.default.contents(atPath: file) == Data("mine".utf8))

            let text = folder.path + "/text"
            try String(repeating: "no database\n", count: 500).write(
                toFile: text, atomically: true, encoding: .utf8)
            let error = #expect(throws: OrderStoreError.self) {
                try OrderStore.backUp(fileAt: text, to: folder.path + "/other.sqlite")
            }
            if case .damaged? = error {} else { Issue.record("\(String(describing: error))") }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
        }
    }

    @Test("An error of the copy has the copy's path, not that of the store")
    func copyError() async throws {
        try await withStore { store in
            let folder = try TemporaryFolder()
            let file = folder.path + "/copy.sqlite"
            let target = try PartialFile(file)
            try FileSystem.remove(target.part)
            try FileSystem.makeFolder(target.part)
            let source = try otherConnection(to: store)
            let error = #expect(throws: OrderStoreError.self) {
                try DatabaseCopy.copy(source, to: target)
            }
            guard case .cannotCreate(file, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test("A copy is made where a lock of its file excludes the locks of SQLite, as on NFS")
    func lockedBytes() async throws {
        try await withStore { store in
            let source = try otherConnection(to: store)
            for _ in 0..<3 { _ = try await store.make(draft) }
            let folder = try TemporaryFolder()
            let makeCopies: [(PartialFile) throws -> OrderStoreReport] = [
                { try DatabaseCopy.copy(source, to: $0) },
                { target in
                    var settings = Configuration()
                    settings.allowsURIs = true
                    let path = store.configuration.path
                    let queue = try DatabaseQueue(path: path, configuration: settings)
                    return try DatabaseCopy.compact(queue, to: target) { _ in }
                },
            ]
            for (number, makeCopy) in makeCopies.enumerated() {
                let target = try PartialFile(folder.path + "/a %3f?\(number)#")
                let other = open(target.part, O_RDWR)
                defer { close(other) }
                var lock = flock()
                lock.l_type = Int16(F_WRLCK)
                // F_OFD_SETLK: of this descriptor, not of the process.
                try #require(fcntl(other, 37, &lock) == 0)
                #expect(try makeCopy(target).orders == 3)
                try target.publish()
                lock.l_type = Int16(F_UNLCK)
                try #require(fcntl(other, 37, &lock) == 0)
                #expect(try OrderStore.checkIntegrity(ofFileAt: target.path).orders == 3)
            }
        }
    }

    @Test("A restore brings the orders back, keeps the old store, and gives no id twice")
    func restore() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        let time = ManualTimeSource()
        let copy = folder.path + "/copy.sqlite"
        let store = try OrderStore(configuration, time: time)
        let kept = try await store.make(draft)
        _ = try OrderStore.backUp(fileAt: configuration.path, to: copy)
        let later = try await store.make(draft)

        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore.restore(fileAt: configuration.path, from: copy, time: time)
        }
        if case .inUse? = error {} else { Issue.record("\(String(describing: error))") }
        await store.close()

        let (report, old, idProblem) = try OrderStore.restore(
            fileAt: configuration.path, from: copy, time: time)
        #expect(report.orders == 1 && idProblem == nil)
        #expect(old == configuration.path + ".before-20260101T000000Z")
        let restored = try OrderStore(configuration, time: time)
        #expect(try await restored.orders(limit: 10).orders == [kept])
        #expect(try await restored.make(draft).id.sequence == later.id.sequence + 1)
        await restored.close()
        #expect(try OrderStore.checkIntegrity(ofFileAt: #require(old)).orders == 2)

        // A second one in the same second does not replace what the first has kept.
        let (_, second, _) = try OrderStore.restore(
            fileAt: configuration.path, from: copy, time: time)
        #expect(second == old.map { $0 + "-2" })
    }

    @Test("A file that is no sound store is not restored, and the store stays as it is")
    func restoreOfDamage() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        let store = try OrderStore(configuration)
        let order = try await store.make(draft)
        await store.close()
        let file = folder.path + "/empty.sqlite"
        try DatabaseQueue(path: file).write { try $0.execute(sql: "CREATE TABLE t(a)") }
        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore.restore(fileAt: configuration.path, from: file)
        }
        if case .damaged? = error {} else { Issue.record("\(String(describing: error))") }
        let again = try OrderStore(configuration)
        #expect(try await again.order(order.id) == order)
        await again.close()
    }

    @Test("A damaged store is replaced, and after an interrupted restore none is created")
    func restoreOfLoss() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/var/orders.sqlite")
        let store = try OrderStore(configuration)
        let order = try await store.make(draft)
        let copy = folder.path + "/copy.sqlite"
        _ = try OrderStore.backUp(fileAt: configuration.path, to: copy)
        await store.close()

        // Between the two renames of a restore.
        try FileManager.default.copyItem(
            atPath: copy, toPath: configuration.path + OrderStore.restoreSuffix)
        try FileManager.default.removeItem(atPath: configuration.path)
        let error = #expect(throws: OrderStoreError.self) { try OrderStore(configuration) }
        #expect(error?.description.contains("repeat it") == true)
        let (_, none, _) = try OrderStore.restore(fileAt: configuration.path, from: copy)
        #expect(none == nil)

        try Data(repeating: 0xA5, count: 8192).write(to: URL(fileURLWithPath: configuration.path))
        let (report, old, idProblem) = try OrderStore.restore(
            fileAt: configuration.path, from: copy)
        #expect(report.newest == order.id && old != nil)
        #expect(idProblem?.contains("not a database") == true)
        let restored = try OrderStore(configuration)
        #expect(try await restored.order(order.id) == order)
        await restored.close()
    }

    @Test("Compacting gives the space of deleted orders back and keeps the others and their ids")
    func compact() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        let store = try OrderStore(configuration)
        let goods = String(repeating: "x", count: 4000)
        for _ in 0..<50 { _ = try await store.make(OrderDraft(price: 10, goods: goods)) }
        #expect(throws: OrderStoreError.self) {
            try OrderStore.compact(fileAt: configuration.path)
        }
        try otherConnection(to: store).write { db in
            try db.execute(sql: "DELETE FROM orders WHERE sequence > 5")
        }
        await store.close()
        let (report, before) = try OrderStore.compact(fileAt: configuration.path)
        #expect(report.orders == 5 && report.bytes < before / 4)
        #expect(FileSystem.size(of: configuration.path) == Int(report.bytes))
        let again = try OrderStore(configuration)
        #expect(try await again.orders(limit: 10).orders.count == 5)
        #expect(try await again.make(draft).id.sequence == 51)
        await again.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }

    @Test("A server does not start while the files of its store are replaced")
    func locked() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        await (try OrderStore(configuration)).close()
        let lock = try FolderLock.forReplacing(configuration.path)
        let error = #expect(throws: OrderStoreError.self) { try OrderStore(configuration) }
        if case .inUse? = error {} else { Issue.record("\(String(describing: error))") }
        withExtendedLifetime(lock) {}
    }

    @Test("Errors of missing files and missing folders have their errno, and nothing is made")
    func missing() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/no/orders.sqlite"
        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore.checkIntegrity(ofFileAt: path)
        }
        #expect(error == .missing(path: path, reason: "ENOENT (No such file or directory)"))
        #expect(throws: OrderStoreError.self) {
            try OrderStore.backUp(fileAt: path, to: folder.path + "/copy.sqlite")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("A file of another owner is reported with whose it should be")
    func owner() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        try Data("x".utf8).write(to: URL(fileURLWithPath: path))
        #expect(chmod(path, 0o600) == 0)
        let text = FileAccess.obstacle(path, uid: 61_234)
        #expect(
            text.contains("\(path) belongs to \(UserAccount.description(of: geteuid())), mode 0600")
        )
        #expect(text.contains("this process runs as uid 61234"))
        // Only root can make the owner another one.
        guard geteuid() == 0, chown(folder.path, 61_234, 61_234) == 0 else { return }
        #expect(
            FileAccess.obstacle(path, uid: 61_234).hasSuffix(
                "its folder belongs to uid 61234: chown --reference=\(folder.path) \(path)"))
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(
            atPath: link, withDestinationPath: "orders.sqlite")
        #expect(FileAccess.obstacle(link, uid: 61_234).hasPrefix("\(path) belongs to root"))
    }
}
