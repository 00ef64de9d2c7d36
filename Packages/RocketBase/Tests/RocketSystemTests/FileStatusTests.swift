import Foundation
import RocketSystem
import Testing

struct FileStatusTests {
    @Test("Two names of a file have one identity; a replaced file has another")
    func identity() throws {
        let folder = NSTemporaryDirectory() + "file-status-\(UUID().uuidString)"
        try FileSystem.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (first, second) = (folder + "/first", folder + "/second")
        #expect(try FileSystem.status(of: first) == nil)
        #expect(try FileSystem.status(of: first + "/below") == nil)
        try FileContents.write([1, 2, 3, 4, 5], to: first)
        #expect(try FileSystem.link(first, as: second))
        #expect(try !FileSystem.link(first, as: second))
        let status = try #require(try FileSystem.status(of: first))
        #expect(try FileSystem.status(of: second) == status && status.size == 5)
        #expect(try FileSystem.openForReading(second).firstBytes(4) == [1, 2, 3, 4])
        #expect(try FileSystem.openForReading(second).firstBytes(9) == [1, 2, 3, 4, 5])
        try FileSystem.remove(second)
        try FileContents.write([], to: second)
        #expect(try FileSystem.status(of: second)?.inode != status.inode)
    }

    @Test("Splits a path into its folder and its name")
    func parts() {
        for (path, folder, name) in [
            ("/var/lib/orders.sqlite", "/var/lib", "orders.sqlite"), ("orders", ".", "orders"),
            ("/orders", "/", "orders"), ("var/orders", "var", "orders"),
        ] {
            #expect(FileSystem.folder(of: path) == folder && FileSystem.name(of: path) == name)
        }
    }
}
