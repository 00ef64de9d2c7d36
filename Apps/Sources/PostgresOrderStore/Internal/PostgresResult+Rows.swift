import Postgres

extension PostgresResult {
    /// The error of the statement; nil: it succeeded, or another one has failed.
    var error: PostgresError? {
        if case .failure(.failed(let error)) = rows { error } else { nil }
    }
}

extension [PostgresResult] {
    /// The rows of a statement that succeeded.
    func rows(_ tag: Int) -> PostgresRows? {
        guard let found = first(where: { $0.tag == tag }) else { return nil }
        return try? found.rows.get()
    }
}
