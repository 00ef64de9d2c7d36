import CPostgres

/// The rows of a statement, in PostgreSQL's binary format. Immutable; the thread of its connection.
@safe public final class PostgresRows {
    // SAFETY: libpq's result is freed with this object, and read by functions that check their
    // indices here.
    private let result: OpaquePointer

    init(owning result: OpaquePointer) { unsafe self.result = unsafe result }

    deinit { unsafe PQclear(result) }

    /// How many there are.
    public var count: Int { Int(unsafe PQntuples(result)) }

    /// Returns the value of a column of type bigint, integer or boolean; nil for NULL, for other
    /// lengths, and if there is no such row or column.
    public func integer(_ row: Int, _ column: Int) -> Int64? {
        unsafe bytes(row, column) { bytes in
            guard [1, 4, 8].contains(bytes.count) else { return nil }
            let first: Int64 = unsafe bytes[0] >= 0x80 && bytes.count > 1 ? -1 : 0
            return unsafe bytes.reduce(first) { $0 << 8 | Int64($1) }
        }
    }

    /// Returns the value of a column of type text; nil for NULL, and if there is none.
    public func text(_ row: Int, _ column: Int) -> String? {
        unsafe bytes(row, column) { unsafe String(decoding: $0, as: UTF8.self) }
    }

    private func bytes<Value>(
        _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) -> Value?
    ) -> Value? {
        // What a server sends is not certain.
        guard row >= 0, row < count, column >= 0, column < Int(unsafe PQnfields(result)) else {
            return nil
        }
        let (row, column) = (Int32(row), Int32(column))
        guard unsafe PQgetisnull(result, row, column) == 0,
            let value = unsafe PQgetvalue(result, row, column)
        else { return nil }
        return unsafe body(
            UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result, row, column))))
    }
}
