import CSQLite

/// A connection to a database. Belongs to one thread at a time: `DatabaseQueue` and `DatabasePool`
/// pass it to the functions that use it.
///
/// This module is a thin layer on SQLite with the names of GRDB, of which it is a small part: GRDB
/// needs the whole of Foundation, which would take more space than all of Rocket's programs do.
@safe public final class Database {
    let handle: OpaquePointer
    private var statements: [(sql: StaticString, statement: Statement)] = []
    private var isClosed = false
    /// Runs before each commit of `inTransaction`; if it throws, that is rolled back. For tests.
    package var willCommit: (@Sendable () throws -> Void)?

    init(path: String, configuration: Configuration) throws(DatabaseError) {
        var flags =
            configuration.readonly
            ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        if configuration.allowsURIs { flags |= SQLITE_OPEN_URI }
        var handle: OpaquePointer?
        // SAFETY: Swift passes NUL-terminated copies of the path and the name.
        let code = unsafe sqlite3_open_v2(
            path, &handle, flags | SQLITE_OPEN_NOMUTEX, configuration.vfs)
        guard code == SQLITE_OK, let handle = unsafe handle else {
            // SQLite returns a handle with its error, except without memory.
            defer { unsafe _ = sqlite3_close_v2(handle) }
            throw unsafe handle.map { unsafe Self.error($0, code) }
                ?? DatabaseError(resultCode: ResultCode(rawValue: code))
        }
        unsafe self.handle = handle
        unsafe sqlite3_extended_result_codes(handle, 1)
        unsafe sqlite3_busy_timeout(handle, configuration.busyMilliseconds)
        try execute(sql: "PRAGMA foreign_keys = ON")
    }

    deinit { if !isClosed { discard() } }

    /// Finalizes the statements and closes the connection, which must not be used any more.
    func close() throws(DatabaseError) {
        statements = []
        let code = unsafe sqlite3_close(handle)
        guard code == SQLITE_OK else { throw error(code) }
        isClosed = true
    }

    private func discard() {
        statements = []
        unsafe _ = sqlite3_close_v2(handle)
    }

    /// Executes one or more statements; rows are ignored.
    public func execute(sql: String) throws(DatabaseError) {
        // SAFETY: Swift passes a NUL-terminated copy of the text.
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw error(code) }
    }

    /// Executes one statement with values for its parameters; rows are ignored.
    public func execute(
        sql: String, arguments: StatementArguments
    ) throws(DatabaseError) {
        try Statement(self, sql).execute(arguments: arguments)
    }

    /// Returns the statement with this text, which is compiled once for the connection. It is found by
    /// the address of the text: hashing one takes as long as binding its values.
    public func cachedStatement(sql: StaticString) throws(DatabaseError) -> Statement {
        // SAFETY: only compared.
        let address = unsafe sql.utf8Start
        for (known, statement) in statements where unsafe known.utf8Start == address {
            return statement
        }
        let statement = try Statement(self, sql.description)
        statements.append((sql, statement))
        return statement
    }

    /// Rows that the last statement changed.
    public var changesCount: Int { Int(unsafe sqlite3_changes(handle)) }
    /// Rows that were changed since the connection was opened.
    public var totalChangesCount: Int { Int(unsafe sqlite3_total_changes(handle)) }
    /// The row id of the last row that was inserted.
    public var lastInsertedRowID: Int64 { unsafe sqlite3_last_insert_rowid(handle) }
    /// Whether a transaction is open.
    public var isInsideTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

    /// Writes the write-ahead log into the database.
    public func checkpoint(_ kind: CheckpointMode) throws(DatabaseError) {
        let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, kind.rawValue, nil, nil)
        if code != SQLITE_OK { throw error(code) }
    }

    /// How `checkpoint` treats other connections and the log.
    public enum CheckpointMode: Int32, Sendable {
        /// Waits for no other connection.
        case passive = 0
        /// Waits for the others, and empties the log.
        case truncate = 3
    }

    /// Returns the connection's error for a code that a function has returned.
    func error(_ code: Int32) -> DatabaseError { unsafe Self.error(handle, code) }

    private static func error(_ handle: OpaquePointer, _ code: Int32) -> DatabaseError {
        // SAFETY: the text is copied before the connection is used again.
        DatabaseError(
            resultCode: ResultCode(rawValue: code),
            message: unsafe sqlite3_errmsg(handle).map { unsafe String(cString: $0) })
    }
}
