import RocketSystem
import SQLite

extension OrderStore {
    /// Reads a whole store and checks its integrity: every page and index by SQLite's own check,
    /// then schema and references. Changes nothing, and may run beside a server. Blocks for as long
    /// as reading takes.
    ///
    /// - Throws: `OrderStoreError.cannotOpen` if the file does not exist or can't be read.
    public static func checkIntegrity(
        ofFileAt path: String
    ) throws(OrderStoreError) -> OrderStoreReport {
        guard FileSystem.exists(path) else {
            throw .cannotOpen(path: path, reason: "the file does not exist")
        }
        do {
            var settings = Configuration()
            settings.readonly = true
            settings.busyMode = .timeout(5)
            let queue = try DatabaseQueue(path: path, configuration: settings)
            defer { try? queue.close() }
            // Without a transaction: on a damaged file its COMMIT would fail as well.
            return try queue.unsafeRead { db in OrderCheck(db).report(path: path) }
        } catch let error as DatabaseError {
            throw .cannotOpen(path: path, reason: error.sqliteText)
        } catch {
            throw .cannotOpen(path: path, reason: "\(error)")
        }
    }
}

/// The result of `OrderStore.checkIntegrity`.
public struct OrderStoreReport: Hashable, Sendable, CustomStringConvertible {
    /// The file that was read.
    public let path: String
    /// Orders in it.
    public let orders: Int64
    /// Idempotency keys in it.
    public let keys: Int64
    /// The id of the last order; nil in an empty store.
    public let newest: OrderID?
    /// One line for each problem; empty for a sound store.
    public let problems: [String]

    /// True if there are no problems.
    public var isSound: Bool { problems.isEmpty }

    /// One line, and one more for each problem.
    public var description: String {
        let last = newest.map { ", the newest is \($0)" } ?? ""
        let summary = "\(path): \(orders) orders\(last), \(keys) idempotency keys"
        guard !isSound else { return summary + ": sound" }
        return ([summary + ": \(problems.count) problems"] + problems.map { "  " + $0 })
            .joined(separator: "\n")
    }
}

/// One check of a whole store. On a damaged file any statement may fail, so the failure of a step
/// is recorded as a problem and the other steps still run.
private struct OrderCheck {
    private var problems: [String] = []
    private var orders: Int64 = 0
    private var keys: Int64 = 0
    private var newest: OrderID?

    init(_ db: Database) {
        step("integrity check") {
            try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
        }
        step("tables") {
            try OrderSchema.migrator.hasCompletedMigrations(db)
                ? [] : ["the tables do not match this version of order_server"]
        }
        step("idempotency keys") {
            let orphans = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
            return orphans == 0 ? [] : ["\(orphans) keys refer to missing orders"]
        }
        do { try count(db) } catch { record("counting", error) }
    }

    private mutating func count(_ db: Database) throws {
        orders = try Int64.fetchOne(db, sql: "SELECT count(*) FROM orders") ?? 0
        keys = try Int64.fetchOne(db, sql: "SELECT count(*) FROM idempotency_keys") ?? 0
        newest = try Row.fetchOne(db, sql: OrderSchema.newestOrder).map { try Order(row: $0).id }
    }

    func report(path: String) -> OrderStoreReport {
        OrderStoreReport(
            path: path, orders: orders, keys: keys, newest: newest, problems: problems)
    }

    private mutating func step(_ name: String, _ find: () throws -> [String]) {
        do { problems += try find() } catch { record(name, error) }
    }

    private mutating func record(_ name: String, _ error: any Error) {
        let text = (error as? DatabaseError)?.sqliteText ?? String(describing: error)
        problems.append("\(name): \(text)")
    }
}
