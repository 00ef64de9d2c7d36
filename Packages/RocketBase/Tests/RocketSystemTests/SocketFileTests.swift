import Foundation
import RocketSystem
import Testing

@Suite struct SocketFileTests {
    private let folder = NSTemporaryDirectory() + "rocket-socket-file-" + UUID().uuidString

    private func failure(at path: String) -> String? {
        do throws(SystemError) {
            try SocketFile.removeStale(path, at: .unix(path: path))
            return nil
        } catch { return error.description }
    }

    @Test("What is no socket stays at the path of one, and the error says what it is")
    func others() throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/path"
        let end = ", no socket, is at the path: EADDRINUSE (Address already in use)"
        try FileContents.write([1], to: path)
        #expect(failure(at: path) == "a file" + end)
        #expect(failure(at: folder) == "a folder" + end)
        for target in [path, folder + "/nothing"] {
            let link = folder + "/link"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
            #expect(failure(at: link) == "a symbolic link" + end)
            try FileSystem.remove(link)
        }
        let fifo = folder + "/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        #expect(failure(at: fifo) == "a FIFO" + end)
        #expect(failure(at: "/dev/null") == "a device" + end)
        #expect(FileSystem.exists(path) && FileSystem.exists(fifo))
        #expect(failure(at: folder + "/nothing") == nil)
    }

    @Test("A socket that no process listens on is removed")
    func stale() throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/path"
        let socket = try FileDescriptor.streamSocket(for: .unix(path: path))
        try socket.bind(to: .unix(path: path))
        try socket.listen(backlog: 1)
        #expect(failure(at: path) == nil && FileSystem.exists(path))
        _ = consume socket
        #expect(failure(at: path) == nil && !FileSystem.exists(path))
    }
}
