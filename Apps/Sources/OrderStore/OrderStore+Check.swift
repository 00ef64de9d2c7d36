import Foundation
import GRDB

extension OrderStore {
    /// Reads a whole store and says whether it is sound: SQLite's own check of every page and
    /// index, then ours of what the tables mean. Changes nothing and may run beside a server.
    /// Blocks for as long as the reading takes.
    ///
    /// - Throws: `OrderStoreError.cannotOpen` when there is no store to read.
    public static func checkIntegrity(
        ofFileAt path: String
    ) throws(OrderStoreError) -> OrderStoreReport {
        guard FileManager.default.fileExists(atPath: path) else {
            throw .cannotOpen(path: path, reason: "there is no such file")
        }
        do {
            var settings = Configuration()
            settings.readonly = true
            settings.busyMode = .timeout(5)
            let queue = try DatabaseQueue(path: path, configuration: settings)
            defer { try? queue.close() }
            // No transaction around it: on a damaged file its COMMIT would fail, too.
            return queue.unsafeRead { db in OrderCheck(db).report(path: path) }
        } catch let error as DatabaseError {
            throw .cannotOpen(path: path, reason: error.sqliteText)
        } catch {
            throw .cannotOpen(path: path, reason: error.localizedDescription)
        }
    }
}

/// One reading of a whole store. A damaged file makes any statement fail at any place, so each
/// step's failure is one more finding and the others still run.
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
                ? [] : ["its tables are not those of this version of order_server"]
        }
        step("idempotency keys") {
            let strays = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
            return strays == 0 ? [] : ["\(strays) keys stand for orders that are not there"]
        }
        do { try count(db) } catch { note("counting", error) }
    }

    private mutating func count(_ db: Database) throws {
        orders = try Int64.fetchOne(db, sql: "SELECT count(*) FROM orders") ?? 0
        keys = try Int64.fetchOne(db, sql: "SELECT count(*) FROM idempotency_keys") ?? 0
        newest = try Row.fetchOne(db, sql: OrderSchema.newestOrder).map { Order(row: $0).id }
    }

    func report(path: String) -> OrderStoreReport {
        OrderStoreReport(
            path: path, orders: orders, keys: keys, newest: newest, problems: problems)
    }

    private mutating func step(_ name: String, _ find: () throws -> [String]) {
        do { problems += try find() } catch { note(name, error) }
    }

    private mutating func note(_ name: String, _ error: any Error) {
        let text = (error as? DatabaseError)?.sqliteText ?? String(describing: error)
        problems.append("\(name): \(text)")
    }
}
