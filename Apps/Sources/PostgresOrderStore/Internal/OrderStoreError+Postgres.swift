import OrderStoring
import Postgres

extension OrderStoreError {
    /// Maps an error of a statement, or of a connection, after which nothing was stored.
    init(_ error: PostgresError) {
        switch error.stateClass {
        case _ where error.state == "53100": self = .diskFull
        case _ where error.state == PostgresSchema.migrationState:
            // Its text has the path of a file, and callers read this one.
            self = .unavailable(reason: "orders are being migrated into the database")
        // Connection, resources, an administrator's or a time-out's end, locks, another transaction,
        // a standby.
        case "", "08", "53", "57", "55", "40", "25":
            self = .unavailable(reason: error.description)
        default: self = .failed(reason: error.description)
        }
    }

    /// Maps an error of a read.
    init(readFailure error: PostgresError) {
        switch OrderStoreError(error) {
        case .failed(let reason): self = .readFailed(reason: reason)
        case let other: self = other
        }
    }

    /// Maps an error of opening a store.
    init(opening url: PostgresURL, _ error: PostgresError) {
        let path = url.description
        switch error.stateClass {
        case _ where error.state == PostgresSchema.newerState: self = .newerSchema(path: path)
        case _ where error.state == PostgresSchema.migrationState:
            self = .inUse(path: path, reason: error.message)
        case "42": self = .notPermitted(path: path, reason: error.description)
        case _ where error.state == "55P03":
            let reason = "another server creates or changes its tables, or stores orders, and does "
            self = .cannotOpen(path: path, reason: reason + "not end: \(error)")
        default: self = .cannotOpen(path: path, reason: error.description)
        }
    }
}

extension PostgresError {
    /// Whether another attempt can't succeed. Not known of a connection that was refused: libpq has
    /// no codes for these.
    var isFinal: Bool { ["RK", "42"].contains(stateClass) }

    /// Whether the database does not take writes, as a standby.
    var isReadOnly: Bool { state == "25006" }

    /// Whether the same transaction can succeed at once: another one was in its way.
    var isTransient: Bool { stateClass == "40" }

    /// Whether a prepared statement does not exist any more, or has other results than when it was
    /// prepared: what has deallocated it, or changed the tables.
    var isOfPreparedStatement: Bool {
        state == "26000" || state == "0A000" && routine == "RevalidateCachedQuery"
    }

    /// Whether a single order may be the reason: its values, or a rule of the database.
    var isOfRows: Bool { ["22", "23", "54", "P0"].contains(stateClass) }
}

extension Order {
    /// Columns from `first` on: sequence, price, goods, created_ms.
    init?(_ rows: PostgresRows, row: Int, first: Int = 0) {
        guard let sequence = rows.integer(row, first),
            let price = rows.integer(row, first + 1).flatMap(Int32.init(exactly:)),
            let goods = rows.text(row, first + 2), let created = rows.integer(row, first + 3)
        else { return nil }
        self.init(
            id: OrderID(sequence: sequence, createdMilliseconds: created), price: price,
            goods: goods, createdMilliseconds: created)
    }
}
