/// A value of a row or of a parameter.
public enum DatabaseValue: Hashable, Sendable {
    /// NULL.
    case null
    /// An integer; of a number with a fraction, the part before it.
    case integer(Int64)
    /// A text, or a blob that is read as one.
    case text(String)
}

/// A type whose values can be stored in a database and read from it.
public protocol DatabaseValueConvertible: Sendable {
    /// The value that is stored.
    var databaseValue: DatabaseValue { get }
    /// Reads a value by SQLite's rules for conversion; nil for NULL.
    init?(databaseValue: DatabaseValue)
    /// The value that stands for NULL where no optional was asked for: 0, or an empty text.
    static var ofNull: Self { get }
}

extension DatabaseValueConvertible {
    /// Returns the first column of the first row; nil without a row, or for NULL.
    public static func fetchOne(_ db: Database, sql: String) throws(DatabaseError) -> Self? {
        guard let row = try Row.fetchOne(db, sql: sql) else { return nil }
        return row.values.first.flatMap { Self(databaseValue: $0) }
    }

    /// Returns the first column of all rows, without those where it is NULL.
    public static func fetchAll(_ db: Database, sql: String) throws(DatabaseError) -> [Self] {
        try Row.fetchAll(db, sql: sql).compactMap { row in
            row.values.first.flatMap { Self(databaseValue: $0) }
        }
    }
}

extension DatabaseValueConvertible where Self: FixedWidthInteger {
    /// The number; one out of the range of 64 bits is clamped.
    public var databaseValue: DatabaseValue { .integer(Int64(clamping: self)) }
    /// The number, clamped to the range of this type; a text without a number is 0.
    public init?(databaseValue: DatabaseValue) {
        switch databaseValue {
        case .null: return nil
        case .integer(let number): self.init(clamping: number)
        case .text(let text): self.init(clamping: Int64(text) ?? 0)
        }
    }
    /// Zero.
    public static var ofNull: Self { 0 }
}

extension Int: DatabaseValueConvertible {}
extension Int32: DatabaseValueConvertible {}
extension Int64: DatabaseValueConvertible {}

extension Bool: DatabaseValueConvertible {
    /// 1 or 0.
    public var databaseValue: DatabaseValue { .integer(self ? 1 : 0) }
    /// False for 0.
    public init?(databaseValue: DatabaseValue) {
        guard let number = Int64(databaseValue: databaseValue) else { return nil }
        self = number != 0
    }
    /// False.
    public static var ofNull: Bool { false }
}

extension String: DatabaseValueConvertible {
    /// The text.
    public var databaseValue: DatabaseValue { .text(self) }
    /// The text, or the digits of a number.
    public init?(databaseValue: DatabaseValue) {
        switch databaseValue {
        case .null: return nil
        case .integer(let number): self.init(number)
        case .text(let text): self = text
        }
    }
    /// An empty text.
    public static var ofNull: String { "" }
}

/// Values for the parameters of a statement, in their order: an array literal.
public struct StatementArguments: ExpressibleByArrayLiteral, Sendable {
    let values: [any DatabaseValueConvertible]

    /// These values.
    public init(arrayLiteral elements: any DatabaseValueConvertible...) { values = elements }

    private init(values: [any DatabaseValueConvertible]) { self.values = values }

    /// Returns the values of both.
    public static func + (first: Self, second: Self) -> Self {
        Self(values: first.values + second.values)
    }
}

/// A row that was read. A value.
public struct Row: Hashable, Sendable {
    /// The columns.
    public let values: [DatabaseValue]

    /// Returns a column by its position from 0, converted by SQLite's rules. A column that is NULL
    /// or missing is 0 or an empty text.
    public subscript<Value: DatabaseValueConvertible>(_ index: Int) -> Value {
        guard values.indices.contains(index) else { return Value.ofNull }
        return Value(databaseValue: values[index]) ?? Value.ofNull
    }

    /// Returns a column by its position from 0, converted by SQLite's rules; nil if it is NULL or
    /// missing.
    public subscript<Value: DatabaseValueConvertible>(_ index: Int) -> Value? {
        values.indices.contains(index) ? Value(databaseValue: values[index]) : nil
    }

    /// Returns the first row; nil if there is none.
    public static func fetchOne(_ db: Database, sql: String) throws(DatabaseError) -> Row? {
        try Statement(db, sql).rows([], limit: 1).first
    }

    /// Returns all rows.
    public static func fetchAll(_ db: Database, sql: String) throws(DatabaseError) -> [Row] {
        try Statement(db, sql).rows([])
    }

    /// Returns the first row of a statement with these values; nil if there is none.
    public static func fetchOne(
        _ statement: Statement, arguments: StatementArguments = []
    ) throws(DatabaseError) -> Row? {
        try statement.rows(arguments, limit: 1).first
    }

    /// Returns the rows of a statement with these values, up to and with the first one for which
    /// `isLast` returns true: no row behind it is read.
    public static func fetch(
        _ statement: Statement, arguments: StatementArguments = [], through isLast: (Row) -> Bool
    ) throws(DatabaseError) -> [Row] {
        try statement.rows(arguments, isLast: isLast)
    }

    /// Returns all rows of a statement with these values.
    public static func fetchAll(
        _ statement: Statement, arguments: StatementArguments = []
    ) throws(DatabaseError) -> [Row] {
        try statement.rows(arguments)
    }
}
