import Foundation
import GRDB
import RocketSystem

/// Why a store can't be opened: what a program or its service manager can do depends on it.
public enum OrderStoreOpenCause: Hashable, Sendable {
    /// The files are damaged or incomplete; only a restore helps.
    case damaged
    /// There is no such file.
    case missing
    /// The mode or the owner of the file or of its folder does not permit it.
    case notPermitted
    /// Reading or writing failed, or the disk is full.
    case ioError
    /// Another process keeps the store locked.
    case busy
    /// Another reason, such as a folder that can't be created.
    case other

    /// The cause of an error of SQLite, of Foundation or of the system, at opening `path`.
    init(of error: any Error, path: String) {
        switch error {
        case let error as DatabaseError:
            switch error.resultCode {
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged
            case .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH: self = .notPermitted
            case .SQLITE_IOERR, .SQLITE_FULL: self = .ioError
            case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy
            // SQLite does not tell the errno of open(2).
            case .SQLITE_CANTOPEN where Self.isForbidden(path): self = .notPermitted
            default: self = .other
            }
        case let error as SystemError: self.init(error.errno.rawValue)
        default:
            let posix = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            self = posix?.domain == NSPOSIXErrorDomain ? Self(Int32(posix?.code ?? 0)) : .other
        }
    }

    private init(_ errno: Int32) {
        switch errno {
        case EACCES, EPERM: self = .notPermitted
        case EIO, ENOSPC, EDQUOT: self = .ioError
        default: self = .other
        }
    }

    /// Whether the file or, where there is none, its folder exists and can't be written.
    private static func isForbidden(_ path: String) -> Bool {
        let files = FileManager.default
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let existing = files.fileExists(atPath: path) ? path : folder
        return files.fileExists(atPath: existing) && !files.isWritableFile(atPath: existing)
    }
}
