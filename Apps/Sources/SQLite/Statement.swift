import CSQLite

/// A compiled statement of a connection, and used on its thread.
@safe public final class Statement {
    private let handle: OpaquePointer?
    private unowned let database: Database

    /// Compiles the first statement of `sql`.
    init(_ database: Database, _ sql: String) throws(DatabaseError) {
        var handle: OpaquePointer?
        // SAFETY: Swift passes a NUL-terminated copy of the text.
        let code = unsafe sqlite3_prepare_v3(
            database.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK else { throw database.error(code) }
        unsafe self.handle = handle
        self.database = database
    }

    deinit { unsafe _ = sqlite3_finalize(handle) }

    /// Executes the statement with values for its parameters; rows are ignored.
    public func execute(
        arguments: StatementArguments = []
    ) throws(DatabaseError) {
        try run(arguments) { () throws(DatabaseError) in
            while try step() {}
        }
    }

    /// Returns the rows, at most `limit` of them, up to the first one for which `isLast` returns
    /// true.
    func rows(
        _ arguments: StatementArguments, limit: Int = .max, isLast: (Row) -> Bool = { _ in false }
    ) throws(DatabaseError) -> [Row] {
        try run(arguments) { () throws(DatabaseError) in
            var rows: [Row] = []
            while rows.count < limit, try step() {
                let row = row
                rows.append(row)
                if isLast(row) { break }
            }
            return rows
        }
    }

    /// Binds the values, runs `body` and makes the statement usable again.
    private func run<Result>(
        _ arguments: StatementArguments,
        _ body: () throws(DatabaseError) -> Result
    ) throws(DatabaseError) -> Result {
        // An unreset statement would keep its transaction open. The code repeats the error of step.
        defer {
            unsafe _ = sqlite3_reset(handle)
            unsafe _ = sqlite3_clear_bindings(handle)
        }
        for (index, argument) in arguments.values.enumerated() {
            let code = bind(argument.databaseValue, at: Int32(index + 1))
            if code != SQLITE_OK { throw database.error(code) }
        }
        return try body()
    }

    private func bind(_ value: DatabaseValue, at index: Int32) -> Int32 {
        switch value {
        case .null: unsafe sqlite3_bind_null(handle, index)
        case .integer(let number): unsafe sqlite3_bind_int64(handle, index, number)
        case .text(let text):
            unsafe text.withCString { bytes in
                // SAFETY: SQLite copies the bytes (SQLITE_TRANSIENT, -1).
                unsafe sqlite3_bind_text(
                    handle, index, bytes, Int32(clamping: text.utf8.count),
                    unsafeBitCast(-1, to: sqlite3_destructor_type.self))
            }
        }
    }

    /// Returns whether there is a row.
    private func step() throws(DatabaseError) -> Bool {
        let code = unsafe sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw database.error(code)
        }
    }

    private var row: Row {
        let count = unsafe sqlite3_column_count(handle)
        return Row(values: (0..<count).map(value))
    }

    private func value(_ column: Int32) -> DatabaseValue {
        switch unsafe sqlite3_column_type(handle, column) {
        case SQLITE_NULL: return .null
        case SQLITE_INTEGER, SQLITE_FLOAT:
            return .integer(unsafe sqlite3_column_int64(handle, column))
        default:
            // SAFETY: the bytes are valid until the next step, and are copied here.
            let bytes = unsafe UnsafeRawBufferPointer(
                start: sqlite3_column_text(handle, column),
                count: Int(sqlite3_column_bytes(handle, column)))
            return .text(unsafe String(decoding: bytes, as: UTF8.self))
        }
    }
}
