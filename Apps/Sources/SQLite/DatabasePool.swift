import Dispatch
import RocketSystem

/// A database in WAL mode: one connection that writes, and several that read at the same time, each
/// in a snapshot of its own, while another writes. Any thread; blocks.
public final class DatabasePool: DatabaseWriter {
    private struct Readers {
        var idle: [DatabaseQueue] = []
        var isClosed = false
    }

    private let path: String
    private let configuration: Configuration
    private let writer: DatabaseQueue
    private let readers = Locked(Readers())
    /// As many as connections may read.
    private let places: DispatchSemaphore

    /// Opens the database, creates it if it is missing, and sets WAL mode.
    public init(
        path: String, configuration: Configuration = Configuration()
    ) throws(DatabaseError) {
        self.path = path
        self.configuration = configuration
        places = DispatchSemaphore(value: max(1, configuration.maximumReaderCount))
        writer = try DatabaseQueue(path: path, configuration: configuration)
        let mode: String?
        do {
            mode = try writer.writeWithoutTransaction {
                try String.fetchOne($0, sql: "PRAGMA journal_mode = WAL")
            }
        } catch let error as DatabaseError { throw error } catch {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "\(error)")
        }
        guard mode == "wal" else {
            throw DatabaseError(
                resultCode: .SQLITE_CANTOPEN, message: "the database can't have WAL mode")
        }
    }

    /// Runs `body` with the connection that writes, without a transaction.
    public func writeWithoutTransaction<Result>(
        _ body: (Database) throws -> Result
    ) throws -> Result { try writer.writeWithoutTransaction(body) }

    /// Runs `body` with a connection that reads, in a transaction: all statements see the same
    /// state. Connections are opened when they are needed, and kept.
    public func read<Result>(_ body: (Database) throws -> Result) throws -> Result {
        places.wait()
        defer { places.signal() }
        let reader = try takeReader()
        defer { giveBack(reader) }
        return try reader.read(body)
    }

    /// Opens all connections that may read at the same time, and passes each of them to `body` in a
    /// transaction. The others are kept if one fails.
    public func openReaders(_ body: (Database) throws -> Void) throws {
        var open: [DatabaseQueue] = []
        defer { for reader in open { giveBack(reader) } }
        for _ in 0..<max(1, configuration.maximumReaderCount) {
            places.wait()
            defer { places.signal() }
            let reader = try takeReader()
            open.append(reader)
            try reader.read(body)
        }
    }

    private func takeReader() throws -> DatabaseQueue {
        let idle = try readers.withLock { readers throws(DatabaseError) -> DatabaseQueue? in
            if readers.isClosed {
                throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the database is closed")
            }
            return readers.idle.popLast()
        }
        if let idle { return idle }
        var settings = configuration
        settings.readonly = true
        return try DatabaseQueue(path: path, configuration: settings)
    }

    private func giveBack(_ reader: DatabaseQueue) {
        let isClosed = readers.withLock { readers in
            if !readers.isClosed { readers.idle.append(reader) }
            return readers.isClosed
        }
        if isClosed { try? reader.close() }
    }

    /// Closes the connections that read and are not in use.
    public func invalidateReadOnlyConnections() {
        let idle = readers.withLock { readers in
            defer { readers.idle = [] }
            return readers.idle
        }
        for reader in idle { try? reader.close() }
    }

    /// Closes all connections, those that read when their callers have ended. Later uses fail.
    public func close() throws(DatabaseError) {
        readers.withLock { $0.isClosed = true }
        invalidateReadOnlyConnections()
        try writer.close()
    }
}
