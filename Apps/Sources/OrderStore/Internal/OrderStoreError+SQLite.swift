import GRDB

extension OrderStoreError {
    /// Maps an error of SQLite.
    init(_ error: any Error) {
        if let error = error as? OrderStoreError {
            self = error
        } else if let error = error as? DatabaseError {
            switch error.resultCode {
            case .SQLITE_FULL: self = .diskFull
            default: self = .failed(reason: error.sqliteText)
            }
        } else {
            self = .failed(reason: String(describing: error))
        }
    }
}

extension DatabaseError {
    /// The text and code of SQLite, without the statement: its arguments must not reach a client.
    var sqliteText: String {
        let text = message ?? "no further text"
        return "\(text) (SQLite code \(extendedResultCode.rawValue))"
    }
}

extension Duration {
    /// Whole milliseconds, clamped to the range of calendar arithmetic.
    var milliseconds: Int64 {
        let seconds = min(max(components.seconds, -1_000_000_000_000), 1_000_000_000_000)
        return seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
