import GRDB

extension OrderStoreError {
    /// What an error of SQLite means to a caller.
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
    /// SQLite's own words and code, without the statement: arguments don't belong in an answer.
    var sqliteText: String {
        let text = message ?? "no further text"
        return "\(text) (SQLite code \(extendedResultCode.rawValue))"
    }
}

extension Duration {
    /// Whole milliseconds, held within what calendar arithmetic can bear.
    var milliseconds: Int64 {
        let seconds = min(max(components.seconds, -1_000_000_000_000), 1_000_000_000_000)
        return seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
