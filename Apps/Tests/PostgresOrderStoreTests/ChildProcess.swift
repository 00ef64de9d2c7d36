import Foundation
import Glibc
import Testing

/// A child of the test process whose input ends with the test process. Not Foundation's: its children
/// can inherit the descriptors by which it observes the end of other ones.
final class ChildProcess: Sendable {
    let id: pid_t
    /// The end of its standard input; it ends with this object at the latest.
    private let input: FileHandle

    /// - Parameter output: the file for its output.
    init(_ arguments: [String], output: String) throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        input = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        var strings: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for string in strings { free(string) } }
        var id: pid_t = 0
        let result = posix_spawnp(&id, arguments[0], &actions, nil, &strings, environ)
        try #require(result == 0, "\(arguments)")
        self.id = id
    }

    /// Writes to its input.
    func write(_ text: String) { input.write(Data(text.utf8)) }

    /// Waits for its end, and returns its exit status; another number after a signal.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : -1
    }

    /// Runs a program to its end, and returns its output.
    static func run(_ arguments: [String]) throws -> String {
        let path = "/tmp/rocket-pg-output-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let status = try ChildProcess(arguments, output: path).wait()
        try #require(status == 0, "\(arguments)")
        return try String(contentsOfFile: path, encoding: .utf8)
            .trimmingCharacters(in: .newlines)
    }
}
