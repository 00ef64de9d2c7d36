import Testing

@testable import SQLite

struct SQLiteTests {
    struct Refusal: Error {}

    /// A database in memory with a table of values.
    func database() throws -> Database {
        let db = try Database(path: ":memory:", configuration: Configuration())
        try db.execute(sql: "CREATE TABLE t(number, text); CREATE TABLE other(number)")
        return db
    }

    @Test("Returns values as they were stored, texts with any characters")
    func values() throws {
        let db = try database()
        let texts = ["", "苹果 'a'; --", "a\0b", String(repeating: "x", count: 100_000)]
        for (number, text) in texts.enumerated() {
            try db.execute(
                sql: "INSERT INTO t VALUES (?, ?)", arguments: [Int64.max - Int64(number), text])
        }
        let rows = try Row.fetchAll(db, sql: "SELECT number, text FROM t ORDER BY number DESC")
        #expect(rows.map { $0[1] as String } == texts)
        #expect(rows.map { $0[0] as Int64 } == (0..<4).map { Int64.max - $0 })
        #expect(try Row.fetchOne(db, sql: "SELECT 1 WHERE false") == nil)
    }

    @Test("Reads NULL, missing columns and foreign types without a trap")
    func conversions() throws {
        let db = try database()
        let row = try #require(
            try Row.fetchOne(db, sql: "SELECT NULL, 'seven', 1 << 40, 1.5, x'00ff', 7"))
        #expect(row[0] as Int64 == 0 && row[0] as String == "" && row[99] as Int64 == 0)
        #expect(row[1] as Int64 == 0 && row[2] as Int32 == .max && row[3] as Int64 == 1)
        #expect((row[4] as String).unicodeScalars.first == "\0" && row[5] as String == "7")
        #expect(row[0] as Int64? == nil && row[99] as String? == nil && row[5] as Int32? == 7)
        #expect(row[2] as Bool && !(row[0] as Bool))
        #expect(try Int.fetchOne(db, sql: "SELECT NULL") == nil)
    }

    @Test("An error has SQLite's code and text, and the statement can be used again")
    func errors() throws {
        let db = try database()
        try db.execute(sql: "CREATE UNIQUE INDEX i ON t(number)")
        let insert = try db.cachedStatement(sql: "INSERT INTO t(number) VALUES (?)")
        try insert.execute(arguments: [1])
        let error = #expect(throws: DatabaseError.self) { try insert.execute(arguments: [1]) }
        #expect(
            error?.resultCode == .SQLITE_CONSTRAINT && error?.extendedResultCode.rawValue == 2067)
        #expect(error?.message == "UNIQUE constraint failed: t.number")
        try insert.execute(arguments: [2])
        #expect(db.changesCount == 1 && db.lastInsertedRowID == 2)
        #expect(throws: DatabaseError.self) { try db.execute(sql: "no statement") }
    }

    @Test("A transaction is committed whole, or not at all")
    func transactions() throws {
        let db = try database()
        func insert() throws { try db.execute(sql: "INSERT INTO t(number) VALUES (1)") }
        func count() throws -> Int? { try Int.fetchOne(db, sql: "SELECT count(*) FROM t") }
        try db.inTransaction {
            try insert()
            try db.inSavepoint {
                try insert()
                return .rollback
            }
            return .commit
        }
        #expect(try count() == 1)
        try db.inTransaction(.immediate) {
            try insert()
            return .rollback
        }
        #expect(throws: Refusal.self) {
            try db.inTransaction {
                try insert()
                throw Refusal()
            }
        }
        db.willCommit = { throw Refusal() }
        #expect(throws: Refusal.self) {
            try db.inTransaction {
                try insert()
                return .commit
            }
        }
        #expect(try count() == 1 && !db.isInsideTransaction)
    }

    @Test("A closed database fails instead of ending the process")
    func closed() throws {
        let queue = try DatabaseQueue(path: ":memory:")
        try queue.close()
        try queue.close()
        let error = #expect(throws: DatabaseError.self) { try queue.read { _ in } }
        #expect(error?.resultCode == .SQLITE_MISUSE)
    }
}

extension SQLiteTests {
    @Test("A backup has the same content, and reports its progress")
    func backup() throws {
        let (db, copy) = (try database(), try database())
        let text = String(repeating: "x", count: 10_000)
        for _ in 0..<10 { try db.execute(sql: "INSERT INTO t(text) VALUES (?)", arguments: [text]) }
        var steps: [DatabaseBackupProgress] = []
        try db.backup(to: copy, pagesPerStep: 8) { steps.append($0) }
        #expect(steps.count > 2 && steps.last?.remainingPageCount == 0)
        #expect(steps.map(\.completedPageCount) == steps.map(\.completedPageCount).sorted())
        #expect(try Int.fetchOne(copy, sql: "SELECT sum(length(text)) FROM t") == 100_000)
        #expect(throws: Refusal.self) { try db.backup(to: copy) { _ in throw Refusal() } }
        #expect(try copy.tableExists("t") && !copy.tableExists("none"))
    }
}
