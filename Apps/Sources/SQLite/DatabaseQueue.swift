import Dispatch
import RocketSystem

/// How connections are opened. A value.
public struct Configuration: Hashable, Sendable {
    /// What a statement does that another connection's lock holds up.
    public enum BusyMode: Hashable, Sendable {
        /// It fails with `SQLITE_BUSY`.
        case immediateError
        /// It waits, so many seconds at most.
        case timeout(Double)
    }

    /// Whether the connections only read; the file must exist. Default false.
    public var readonly = false
    /// Default: `.immediateError`.
    public var busyMode = BusyMode.immediateError
    /// The name of SQLite's interface to files; nil: the default one. `unix-none` takes no locks.
    public var vfs: String?
    /// Whether paths that begin with `file:` are URIs, also in statements. Default false.
    public var allowsURIs = false
    /// The connections of a pool that read at the same time: 1 or more. Default 5.
    public var maximumReaderCount = 5

    /// The defaults.
    public init() {}

    var busyMilliseconds: Int32 {
        guard case .timeout(let seconds) = busyMode else { return 0 }
        return Int32(min(max(seconds, 0), 1_000_000) * 1000)
    }
}

/// What can read a database: a queue or a pool.
public protocol DatabaseReader: Sendable {
    /// Runs `body` in a transaction: all statements see the same state.
    func read<Result>(_ body: (Database) throws -> Result) throws -> Result
}

/// What can write to a database: a queue or a pool.
public protocol DatabaseWriter: DatabaseReader {
    /// Runs `body` with the connection that writes, when no other caller has it.
    func writeWithoutTransaction<Result>(_ body: (Database) throws -> Result) throws -> Result
}

extension DatabaseWriter {
    /// Runs `body` in a transaction, which is committed unless it throws.
    public func write<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try writeWithoutTransaction { db in
            var result: Result?
            try db.inTransaction(.immediate) {
                result = try body(db)
                return .commit
            }
            guard let result else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
            return result
        }
    }
}

/// One connection, which its callers use in turn. Any thread; blocks.
public final class DatabaseQueue: DatabaseWriter {
    // SAFETY: `@unchecked Sendable`: the connection is used by the holder of `turn` only.
    private struct Connection: @unchecked Sendable { let database: Database }

    /// nil: closed.
    private let connection: Locked<Connection?>
    private let turn = DispatchSemaphore(value: 1)

    /// Opens the database; creates it if it is missing and the configuration allows writing.
    public init(
        path: String, configuration: Configuration = Configuration()
    ) throws(DatabaseError) {
        connection = Locked(
            Connection(database: try Database(path: path, configuration: configuration)))
    }

    /// Runs `body` with the connection, without a transaction.
    public func writeWithoutTransaction<Result>(
        _ body: (Database) throws -> Result
    ) throws -> Result {
        turn.wait()
        defer { turn.signal() }
        guard let connection = connection.withLock({ $0 }) else {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the database is closed")
        }
        return try body(connection.database)
    }

    /// Runs `body` with the connection, without a transaction: each statement sees the database as
    /// it is then.
    public func unsafeRead<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try writeWithoutTransaction(body)
    }

    /// Runs `body` in a transaction that is rolled back: all statements see the same state.
    public func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
        try writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN DEFERRED")
            defer { if db.isInsideTransaction { try? db.execute(sql: "ROLLBACK") } }
            return try body(db)
        }
    }

    /// Closes the connection when no caller has it; later uses fail. No effect if it is closed.
    public func close() throws(DatabaseError) {
        turn.wait()
        defer { turn.signal() }
        guard let connection = connection.withLock({ $0 }) else { return }
        try connection.database.close()
        self.connection.withLock { $0 = nil }
    }
}
