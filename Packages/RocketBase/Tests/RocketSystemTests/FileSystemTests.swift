import Glibc
import Testing

@testable import RocketSystem

/// Errors are those of the call that failed, not of a later one.
@Suite struct FileSystemTests {
    /// The system creates no folder there for anyone, but with different errors: EPERM, EACCES, or
    /// EROFS in a container. A later stat(2) fails with ENOENT.
    @Test("A folder that can't be created fails with the error of mkdir")
    func refusedFolder() {
        let error = #expect(throws: SystemError.self) {
            try FileSystem.makeFolder("/sys/rocket_test/a")
        }
        #expect(error?.operation == "mkdir /sys/rocket_test")
        #expect([EPERM, EACCES, EROFS].contains(error?.errno.rawValue))
    }

    @Test("A folder below a file fails with the error of the first folder below it")
    func folderBelowFile() {
        let error = #expect(throws: SystemError.self) {
            try FileSystem.makeFolder("/proc/self/status/a/b")
        }
        #expect(error?.operation == "mkdir /proc/self/status/a")
        #expect(error?.errno.rawValue == ENOTDIR)
    }

    @Test("A file with the name of the folder is an error")
    func fileInPlaceOfFolder() {
        let error = #expect(throws: SystemError.self) {
            try FileSystem.makeFolder("/proc/self/status")
        }
        #expect(error?.errno.rawValue == EEXIST)
    }

    @Test("A folder that exists is left alone, also where none can be created")
    func existingFolder() throws {
        try FileSystem.makeFolder("/sys")
        try FileSystem.makeFolder("/proc/self/fd")
    }

    @Test("A file that can't be created fails with the error of the last attempt")
    func refusedFile() {
        let error = #expect(throws: SystemError.self) {
            _ = try FileSystem.openForAppending("/sys/rocket_test")
        }
        #expect([EPERM, EACCES, EROFS].contains(error?.errno.rawValue))
    }

    @Test("A byte that can't be read is an error, not an empty file")
    func unreadableByte() {
        let error = #expect(throws: SystemError.self) { _ = try FileSystem.lastByte(of: "/") }
        #expect(error?.errno.rawValue == EISDIR)
    }

    @Test("A lookup that the system fails tells the system's reason")
    func failedLookup() {
        let error = NameLookup.failure(of: "a", EAI_SYSTEM, Errno(rawValue: EMFILE))
        #expect(error.text == "EMFILE (Too many open files)")
        #expect(!error.isUnknownName)
        let unknown = NameLookup.failure(of: "a", EAI_NONAME, Errno(rawValue: EMFILE))
        #expect(unknown.text == "Name or service not known" && unknown.isUnknownName)
    }

    @Test("The free space of a file system of any size has no overflow")
    func freeSpace() {
        #expect(FileSystem.bytes(.max, ofSize: 4096) == .max)
        #expect(FileSystem.bytes(3, ofSize: 4096) == 12_288)
        #expect(FileSystem.freeBytes(in: "/") != nil)
    }
}
