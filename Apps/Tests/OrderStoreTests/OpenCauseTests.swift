import Foundation
import GRDB
import RocketSystem
import Testing

@testable import OrderStore

@Suite("Why a store can't be opened")
struct OpenCauseTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "OpenCauseTests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func cause(of path: String) -> OrderStoreOpenCause? {
        let error = #expect(throws: OrderStoreError.self) {
            _ = try OrderStore(OrderStoreConfiguration(path: path))
        }
        guard case .cannotOpen(_, _, let cause)? = error else { return nil }
        return cause
    }

    @Test("An empty file, other data and a log without its database are damage")
    func damaged() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "orders.sqlite").path
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(cause(of: path) == .damaged)
        try Data(repeating: 0x78, count: 8192).write(to: URL(fileURLWithPath: path))
        #expect(cause(of: path) == .damaged)
        try FileManager.default.moveItem(atPath: path, toPath: path + "-wal")
        #expect(cause(of: path) == .damaged)
    }

    @Test("A folder that can't be created is another reason")
    func uncreatable() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data().write(to: folder.appending(path: "file"))
        #expect(cause(of: folder.appending(path: "file/orders.sqlite").path) == .other)
    }

    @Test("The check of a file that does not exist says so")
    func missing() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let error = #expect(throws: OrderStoreError.self) {
            _ = try OrderStore.checkIntegrity(ofFileAt: folder.appending(path: "none").path)
        }
        guard case .cannotOpen(_, _, .missing)? = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
    }

    @Test("Errors of SQLite, of the system and of Foundation")
    func errors() {
        func cause(_ code: ResultCode) -> OrderStoreOpenCause {
            OrderStoreOpenCause(of: DatabaseError(resultCode: code), path: "/none/none")
        }
        #expect(cause(.SQLITE_CORRUPT) == .damaged && cause(.SQLITE_READONLY) == .notPermitted)
        #expect(cause(.SQLITE_FULL) == .ioError && cause(.SQLITE_BUSY) == .busy)
        #expect(cause(.SQLITE_IOERR_WRITE.primaryResultCode) == .ioError)
        #expect(cause(.SQLITE_CANTOPEN) == .other)
        let denied = SystemError("open", Errno(rawValue: EACCES))
        #expect(OrderStoreOpenCause(of: denied, path: "a") == .notPermitted)
        let full = NSError(
            domain: NSCocoaErrorDomain, code: CocoaError.fileWriteOutOfSpace.rawValue,
            userInfo: [
                NSUnderlyingErrorKey: NSError(domain: NSPOSIXErrorDomain, code: Int(ENOSPC))
            ])
        #expect(OrderStoreOpenCause(of: full, path: "a") == .ioError)
    }
}
