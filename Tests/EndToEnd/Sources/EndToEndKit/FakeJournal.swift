import Foundation

/// A socket in place of the systemd journal, for programs started through `launcher`: in their
/// mount namespace the folder of this socket is mounted over the journal's.
public final class FakeJournal: Sendable {
    private let descriptor: Int32
    private let folder: String

    /// Listens in the workspace; with `isListening` false the namespace has no journal.
    public init(in workspace: Workspace, isListening: Bool = true) throws {
        folder = workspace.path + "/journal"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard isListening else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: (folder + "/socket").utf8)
        }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SocketFailure("bind") }
    }

    deinit { close(descriptor) }

    /// Returns the prefix for a command. With `asStandardError`, JOURNAL_STREAM names the standard
    /// error of the program, as for services of systemd.
    public func launcher(asStandardError: Bool = false) -> [String] {
        let stream =
            asStandardError
            ? "JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2); export JOURNAL_STREAM" : ":"
        let script = """
            mkdir -p /run/systemd/journal
            mount --bind '\(folder)' /run/systemd/journal || exit 9
            \(stream)
            exec "$0" "$@"
            """
        return ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script]
    }

    /// Returns the next entry: `KEY=value` lines.
    public func nextEntry() throws -> [String] {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { throw SocketFailure("recv") }
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
            .map(String.init)
    }
}

extension Programs {
    /// Whether tests can mount in a namespace: as root, with unshare(1) and nsenter(1).
    public static let canMount: Bool = {
        guard getuid() == 0 else { return false }
        let tools = ["/usr/bin/unshare", "/usr/bin/nsenter", "/bin/sh"]
        guard tools.allSatisfy(FileManager.default.isExecutableFile(atPath:)) else { return false }
        let probe = try? ChildProcess("/usr/bin/unshare", ["--mount", "/bin/true"]).finish()
        return probe?.status == 0
    }()
}
