import Foundation

/// The notify socket of a service manager, for programs started with `environment`. Functions block.
public final class FakeServiceManager: Sendable {
    private let descriptor: Int32
    private let path: String

    /// The environment for the program: NOTIFY_SOCKET.
    public var environment: [String: String] { ["NOTIFY_SOCKET": path] }

    /// Listens in the workspace.
    public init(in workspace: Workspace) throws {
        path = workspace.path + "/notify"
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SocketFailure("bind") }
    }

    deinit { close(descriptor) }

    /// Returns the lines of the next notification.
    public func next() throws -> [String] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { throw SocketFailure("recv") }
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
            .map(String.init)
    }

    /// Skips notifications until one begins with `prefix`, and returns its lines.
    public func next(_ prefix: String) throws -> [String] {
        while true {
            let lines = try next()
            if lines.first?.hasPrefix(prefix) == true { return lines }
        }
    }

    /// Returns the prefix for a command that gets its standard input, a listening socket, as
    /// descriptor 3 by socket activation.
    public static func activation(names: String) -> [String] {
        let script = """
            LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=\(names)
            export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES
            exec "$0" "$@" 3<&0 </dev/null
            """
        return ["/bin/sh", "-c", script]
    }
}

/// Blocks the writer of a store, as another process within a transaction does.
public final class StoreLock: Sendable {
    private let descriptor: Int32

    /// Holds SQLite's write lock (byte 120 of the -shm file) until the last reference is gone.
    public init(_ workspace: Workspace) throws {
        descriptor = open(workspace.store + "-shm", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw SocketFailure("open") }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = 120
        lock.l_len = 1
        guard fcntl(descriptor, F_SETLK, &lock) == 0 else { throw SocketFailure("fcntl") }
    }

    deinit { close(descriptor) }
}
