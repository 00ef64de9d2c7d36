import CSQLite

/// A result code of SQLite, primary or extended, by SQLite's own name.
public struct ResultCode: RawRepresentable, Hashable, Sendable {
    /// The number, as in https://sqlite.org/rescode.html.
    public let rawValue: Int32

    /// Accepts any number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The code without its extension: `SQLITE_IOERR` for `SQLITE_IOERR_FSYNC`.
    public var primaryResultCode: ResultCode { ResultCode(rawValue: rawValue & 0xFF) }

    /// Another process or connection holds a lock.
    public static let SQLITE_BUSY = ResultCode(rawValue: 5)
    /// Another statement of the same connection holds a lock.
    public static let SQLITE_LOCKED = ResultCode(rawValue: 6)
    /// The database was opened for reading only.
    public static let SQLITE_READONLY = ResultCode(rawValue: 8)
    /// The system failed to read or write.
    public static let SQLITE_IOERR = ResultCode(rawValue: 10)
    /// The file is damaged.
    public static let SQLITE_CORRUPT = ResultCode(rawValue: 11)
    /// The disk is full, or the database has its greatest size.
    public static let SQLITE_FULL = ResultCode(rawValue: 13)
    /// The file can't be opened.
    public static let SQLITE_CANTOPEN = ResultCode(rawValue: 14)
    /// A row breaks a constraint of its table.
    public static let SQLITE_CONSTRAINT = ResultCode(rawValue: 19)
    /// The database was used in a way that is not allowed, such as after `close`.
    public static let SQLITE_MISUSE = ResultCode(rawValue: 21)
    /// The file is not a database.
    public static let SQLITE_NOTADB = ResultCode(rawValue: 26)
}

/// An error of SQLite.
public struct DatabaseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The code with its extension.
    public let extendedResultCode: ResultCode
    /// SQLite's text, without the statement.
    public let message: String?

    /// The code without its extension.
    public var resultCode: ResultCode { extendedResultCode.primaryResultCode }

    /// Creates an error.
    ///
    /// - Parameter message: default: SQLite's text for the code.
    public init(resultCode: ResultCode, message: String? = nil) {
        extendedResultCode = resultCode
        // SAFETY: SQLite returns a static string for any number.
        self.message =
            unsafe message
            ?? sqlite3_errstr(resultCode.rawValue).map {
                unsafe String(cString: $0)
            }
    }

    /// The text and the code.
    public var description: String {
        "\(message ?? "no further text") (SQLite code \(extendedResultCode.rawValue))"
    }
}
