import Foundation
import RocketSystem
import Testing

@Suite struct FolderWatchTests {
    private final class Folder {
        let path = NSTemporaryDirectory() + "rocket-watch-" + UUID().uuidString
        init() throws {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Longer than any machine takes; a test that passes never waits for it.
    private let limit = Duration.seconds(300)

    @Test("Files that are written, renamed, linked, removed or get a mode are changes")
    func changes() throws {
        let folder = try Folder()
        let watch = try FolderWatch()
        #expect(watch.watch([folder.path]).isEmpty)
        #expect(try watch.wait(atMost: .zero) == .timeout)
        let (first, second) = (folder.path + "/a", folder.path + "/b")
        for change in [
            { try FileContents.write([1], to: first) },
            { try FileManager.default.moveItem(atPath: first, toPath: second) },
            { try FileSystem.setMode(second, 0o600) },
            { try FileManager.default.createSymbolicLink(atPath: first, withDestinationPath: "b") },
            { try FileManager.default.removeItem(atPath: first) },
        ] {
            try change()
            #expect(try watch.wait(atMost: limit) == .changed)
            #expect(try watch.wait(atMost: .zero) == .timeout)
        }
    }

    @Test("Only the folders named last are watched; one that is missing is reported")
    func folders() throws {
        let (first, second) = (try Folder(), try Folder())
        let watch = try FolderWatch()
        _ = watch.watch([first.path])
        let missing = watch.watch([second.path, first.path + "/none"])
        #expect(missing.map(\.folder) == [first.path + "/none"])
        #expect(missing.first?.error.errno.rawValue == ENOENT)
        _ = try watch.wait(atMost: .zero)
        try FileContents.write([1], to: first.path + "/a")
        #expect(try watch.wait(atMost: .zero) == .timeout)
        try FileContents.write([1], to: second.path + "/a")
        #expect(try watch.wait(atMost: limit) == .changed)
    }

    @Test("A folder that was replaced is watched again")
    func replaced() throws {
        let folder = try Folder()
        let inner = folder.path + "/inner"
        let files = FileManager.default
        try files.createDirectory(atPath: inner, withIntermediateDirectories: false)
        let watch = try FolderWatch()
        _ = watch.watch([inner])
        try files.removeItem(atPath: inner)
        #expect(try watch.wait(atMost: limit) == .changed)
        try files.createDirectory(atPath: inner, withIntermediateDirectories: false)
        #expect(watch.watch([inner]).isEmpty)
        try FileContents.write([1], to: inner + "/a")
        #expect(try watch.wait(atMost: limit) == .changed)
    }

    @Test("Another thread ends the wait")
    func ends() throws {
        let watch = try FolderWatch()
        let thread = try SystemThread(name: "end") { watch.end() }
        #expect(try watch.wait(atMost: limit) == .ended)
        #expect(try watch.wait(atMost: limit) == .ended)
        thread.join()
    }

    @Test("The version of a file changes with its contents, its mode and where its link leads")
    func versions() throws {
        let folder = try Folder()
        let (old, new, link) = (folder.path + "/old", folder.path + "/new", folder.path + "/link")
        #expect(FileVersion(of: link) == nil)
        try FileContents.write([1], to: old)
        try FileContents.write([1], to: new)
        let files = FileManager.default
        try files.createSymbolicLink(atPath: link, withDestinationPath: "old")
        let first = try #require(FileVersion(of: link))
        #expect(first == FileVersion(of: old))
        try FileContents.write([1, 2], to: old)
        #expect(FileVersion(of: link) != first)
        try files.removeItem(atPath: link)
        try files.createSymbolicLink(atPath: link, withDestinationPath: "new")
        #expect(FileVersion(of: link) == FileVersion(of: new))
    }
}
