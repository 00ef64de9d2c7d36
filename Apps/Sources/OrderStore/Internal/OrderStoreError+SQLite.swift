import OrderStoring
import RocketSystem
import SQLite

extension OrderStoreError {
    /// The error for a store that is not sound.
    static func unsound(_ report: OrderStoreReport) -> OrderStoreError {
        .damaged(path: report.path, reason: report.problems.joined(separator: "; "))
    }

    /// Maps an error of opening, checking or copying the database at `path`.
    init(opening path: String, _ error: any Error) {
        switch error {
        case let error as OrderStoreError: self = error
        case let error as SystemError:
            self =
                error.errno.isNotPermitted
                ? .notPermitted(path: path, reason: error.description)
                : .cannotOpen(path: path, reason: error.description)
        case let error as DatabaseError:
            switch error.resultCode {
            case .SQLITE_NOTADB, .SQLITE_CORRUPT:
                self = .damaged(path: path, reason: error.sqliteText)
            case .SQLITE_BUSY, .SQLITE_LOCKED:
                self = .inUse(path: path, reason: error.sqliteText)
            default: self = .cannotOpen(path: path, reason: error.sqliteText)
            }
        default: self = .cannotOpen(path: path, reason: "\(error)")
        }
    }

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

    /// Maps an error of a read.
    init(readFailure error: any Error) {
        switch OrderStoreError(error) {
        case .failed(let reason): self = .readFailed(reason: reason)
        case let other: self = other
        }
    }

    /// Maps an error of COMMIT. The orders may be in the log although the commit failed: after a
    /// failed sync SQLite forgets them, but a crash before the next commit makes them valid. Not so
    /// if the log could not be written for lack of space or of a lock.
    init(commitFailure error: any Error) {
        let error = error as? DatabaseError
        switch error?.resultCode {
        case .SQLITE_FULL?: self = .diskFull
        case .SQLITE_BUSY?: self = .failed(reason: error?.sqliteText ?? "")
        default: self = .outcomeUnknown(reason: error?.sqliteText ?? "the commit failed")
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
