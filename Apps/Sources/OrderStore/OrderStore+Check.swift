public import OrderStoring
import RocketSystem
import SQLite

extension OrderStore {
    /// Reads a whole store and checks its integrity: every page and index by SQLite's own check,
    /// then schema and references. Changes nothing, and may run beside a server. Blocks for as long
    /// as reading takes.
    ///
    /// - Throws: `OrderStoreError.missing`, `.notPermitted` (with the file or folder and its owner),
    ///   `.damaged` or `.cannotOpen`.
    public static func checkIntegrity(
        ofFileAt path: String
    ) throws(OrderStoreError) -> OrderStoreReport {
        try FileAccess.check(path)
        do { return try report(ofFileAt: path, as: path) } catch {
            throw OrderStoreError(opening: path, error)
        }
    }

    /// Checks the file at `path`, and calls it `name` in the report.
    static func report(
        ofFileAt path: String, as name: String, _ settings: Configuration = Configuration()
    ) throws -> OrderStoreReport {
        // Without a transaction: on a damaged file its COMMIT would fail as well.
        try withReader(path, settings) {
            try $0.unsafeRead { db in OrderCheck(db).report(path: name) }
        }
    }
}

/// The contents of a store, and whether it is sound. A value.
public struct OrderStoreReport: Hashable, Sendable, CustomStringConvertible {
    /// The file that was read.
    public let path: String
    /// Orders in it.
    public let orders: Int64
    /// Idempotency keys in it.
    public let keys: Int64
    /// The id of the last order; nil in an empty store.
    public let newest: OrderID?
    /// The size of the database in bytes, without its log.
    public let bytes: Int64
    /// The version of its tables, 1 or more; 0: it has none. A server migrates an older one when it
    /// starts.
    public let version: Int
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
struct OrderCheck {
    private var problems: [String] = []
    private var orders: Int64 = 0
    private var keys: Int64 = 0
    private var newest: OrderID?
    private var bytes: Int64 = 0
    private var version = 0

    init(_ db: Database) {
        step("integrity check") {
            try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
        }
        step("tables") {
            try OrderSchema.version(of: db) > 0 ? [] : ["there are no tables of orders"]
        }
        version = (try? OrderSchema.version(of: db)) ?? 0
        step("idempotency keys") {
            let orphans = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
            return orphans == 0 ? [] : ["\(orphans) keys refer to missing orders"]
        }
        do { try count(db) } catch { record("counting", error) }
    }

    private mutating func count(_ db: Database) throws {
        orders = try Int64.fetchOne(db, sql: "SELECT count(*) FROM orders") ?? 0
        keys = try Int64.fetchOne(db, sql: "SELECT count(*) FROM idempotency_keys") ?? 0
        bytes =
            try Int64.fetchOne(
                db, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            ?? 0
        newest = try Row.fetchOne(db, sql: OrderSchema.newestOrder).map {
            OrderID(sequence: $0[0], createdMilliseconds: $0[3])
        }
        let strange = try Row.fetchOne(db, sql: OrderSchema.unreadableOrders)
        guard let strange, (strange[0] as Int64) > 0 else { return }
        problems.append(
            "orders with a price out of range, which can't be read: \(strange[0] as Int64), the "
                + "first with the sequence number \(strange[1] as Int64)")
    }

    func report(path: String) -> OrderStoreReport {
        OrderStoreReport(
            path: path, orders: orders, keys: keys, newest: newest, bytes: bytes,
            version: version, problems: problems)
    }

    private mutating func step(_ name: String, _ find: () throws -> [String]) {
        do { problems += try find() } catch { record(name, error) }
    }

    private mutating func record(_ name: String, _ error: any Error) {
        let text = (error as? DatabaseError)?.sqliteText ?? String(describing: error)
        problems.append("\(name): \(text)")
    }
}
