/// Brings the tables of a database to the present version, by migrations that each run once.
///
/// Their names are kept in the table of GRDB's migrator, which wrote the first databases.
public struct DatabaseMigrator: Sendable {
    private struct Migration {
        let identifier: String
        let migrate: @Sendable (Database) throws -> Void
    }

    private var migrations: [Migration] = []

    /// No migrations.
    public init() {}

    /// Adds a migration after the others. Its name is stored, and never changes.
    public mutating func registerMigration(
        _ identifier: String, migrate: @escaping @Sendable (Database) throws -> Void
    ) {
        migrations.append(Migration(identifier: identifier, migrate: migrate))
    }

    /// Runs the migrations that the database has not had, each in a transaction of its own.
    public func migrate(_ writer: some DatabaseWriter) throws {
        try writer.writeWithoutTransaction { db in
            let applied = try appliedIdentifiers(db)
            let missing = migrations.filter { !applied.contains($0.identifier) }
            if missing.isEmpty { return }
            // A migration may replace a table to which another refers; it can't be set within a
            // transaction.
            try db.execute(sql: "PRAGMA foreign_keys = OFF")
            defer { try? db.execute(sql: "PRAGMA foreign_keys = ON") }
            for migration in missing {
                try db.inTransaction(.immediate) {
                    // Another process may have been faster.
                    if try appliedIdentifiers(db).contains(migration.identifier) {
                        return .rollback
                    }
                    try migration.migrate(db)
                    try db.execute(
                        sql: """
                            CREATE TABLE IF NOT EXISTS grdb_migrations(
                                identifier TEXT NOT NULL PRIMARY KEY)
                            """)
                    try db.execute(
                        sql: "INSERT INTO grdb_migrations(identifier) VALUES (?)",
                        arguments: [migration.identifier])
                    guard try Row.fetchOne(db, sql: "PRAGMA foreign_key_check") == nil else {
                        throw DatabaseError(
                            resultCode: .SQLITE_CONSTRAINT,
                            message: "rows refer to missing ones after '\(migration.identifier)'")
                    }
                    return .commit
                }
            }
        }
    }

    /// Whether the database has had a migration that this migrator does not know: of a newer
    /// version.
    public func hasBeenSuperseded(_ db: Database) throws -> Bool {
        !(try appliedIdentifiers(db)).isSubset(of: migrations.map(\.identifier))
    }

    /// Whether the database has had all migrations.
    public func hasCompletedMigrations(_ db: Database) throws -> Bool {
        try appliedIdentifiers(db).isSuperset(of: migrations.map(\.identifier))
    }

    /// The names of the migrations that the database has had.
    public func appliedIdentifiers(_ db: Database) throws -> Set<String> {
        let table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'grdb_migrations'"
        guard try Int.fetchOne(db, sql: table) != nil else { return [] }
        return Set(try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations"))
    }
}
