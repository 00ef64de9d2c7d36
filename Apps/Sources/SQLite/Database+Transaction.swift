extension Database {
    /// When a transaction takes its locks.
    public enum TransactionKind: Sendable {
        /// With the first statement that reads or writes.
        case deferred
        /// At once, for writing.
        case immediate
    }

    /// How a transaction ends.
    public enum TransactionCompletion: Sendable {
        /// Its changes are kept.
        case commit
        /// Its changes are undone.
        case rollback
    }

    /// Runs `body` in a transaction. An error of `body`, or of the commit, rolls it back.
    public func inTransaction(
        _ kind: TransactionKind = .deferred, _ body: () throws -> TransactionCompletion
    ) throws {
        switch kind {
        case .deferred: try cachedStatement(sql: "BEGIN DEFERRED").execute()
        case .immediate: try cachedStatement(sql: "BEGIN IMMEDIATE").execute()
        }
        do {
            switch try body() {
            case .commit:
                try willCommit?()
                try cachedStatement(sql: "COMMIT").execute()
            case .rollback: try execute(sql: "ROLLBACK")
            }
        } catch {
            // After some errors SQLite has rolled back itself.
            if isInsideTransaction { try? execute(sql: "ROLLBACK") }
            throw error
        }
    }

    /// Runs `body` in a part of the transaction that can be undone alone. An error of `body` undoes
    /// it.
    public func inSavepoint(_ body: () throws -> TransactionCompletion) throws {
        try execute(sql: "SAVEPOINT part")
        do {
            if case .rollback = try body() { try execute(sql: "ROLLBACK TO part") }
            try execute(sql: "RELEASE part")
        } catch {
            if isInsideTransaction { try? execute(sql: "ROLLBACK TO part; RELEASE part") }
            throw error
        }
    }
}
