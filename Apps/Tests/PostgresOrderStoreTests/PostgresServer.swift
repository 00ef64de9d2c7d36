import Foundation
import Glibc
import Postgres
import RocketSystem
import Testing

/// A PostgreSQL server of this test process, in a folder of its own with a Unix socket: no port. It
/// ends with the process, however that ends: a shell that starts it waits for the end of its input.
final class PostgresServer: Sendable {
    /// One for all tests that don't restart it.
    static let shared = Result { try PostgresServer() }

    /// Whether PostgreSQL's server is installed.
    static let isInstalled = ["initdb", "pg_ctl", "psql"].allSatisfy { name in
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
        }
    }

    let folder: String
    private let keeper: ChildProcess
    private let databases = Locked(0)

    /// PostgreSQL does not run as root.
    private static let asUser = """
        run() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u nobody -- "$@"); else "$@"; fi; }
        """

    init() throws {
        folder = "/tmp/rocket-pg-\(UUID().uuidString.prefix(8))"
        let script = """
            # It lives long: what it has inherited of other tests must not.
            for fd in /proc/self/fd/*; do
                [ "${fd##*/}" -gt 2 ] && eval "exec ${fd##*/}>&-"
            done
            \(Self.asUser)
            run mkdir -m 0755 "$1" || exit 1
            run initdb -D "$1/data" -A trust -U rocket -E UTF8 --locale=C.UTF-8 --no-sync >"/dev/null" \
                || exit 1
            run pg_ctl -D "$1/data" -w -s -l "$1/log" -o "-k $1 -c listen_addresses='' -c fsync=off \
                -c max_connections=300" start || exit 1
            : >"$2"
            cat >/dev/null
            run pg_ctl -D "$1/data" -s -m immediate stop
            rm -rf "$1" "$2"
            """
        let ready = folder + ".ready"
        keeper = try ChildProcess(
            ["bash", "-c", script, "bash", folder, ready], output: "/dev/null")
        while !FileManager.default.fileExists(atPath: ready) {
            var status: Int32 = 0
            try #require(waitpid(keeper.id, &status, WNOHANG) == 0, "PostgreSQL has not started")
            usleep(10_000)
        }
    }

    /// Creates an empty database, and returns its name.
    func makeDatabase() throws -> String {
        // One at a time: they are copies of one template.
        try databases.withLock { number in
            number += 1
            let name = "orders_\(number)"
            _ = try Self.psql(folder, "postgres", "CREATE DATABASE \(name)")
            return name
        }
    }

    /// Executes SQL in a database, as another client, and returns the rows, columns by `|`.
    @discardableResult
    func execute(_ sql: String, in database: String) throws -> String {
        try Self.psql(folder, database, sql)
    }

    /// The URL of a database.
    ///
    /// - Parameter host: the folder of the socket; nil: that of the server.
    func url(_ database: String, host: String? = nil) throws -> PostgresURL {
        try PostgresURL("postgresql://rocket@/\(database)?host=\(host ?? folder)")
    }

    /// Ends the server as a crash does, and starts it again.
    func restart() throws {
        let command = "run pg_ctl -D \"$1/data\" -w -s -m immediate restart -l \"$1/log\""
        _ = try ChildProcess.run(["/bin/sh", "-c", "\(Self.asUser); \(command)", "sh", folder])
    }

    private static func psql(_ folder: String, _ database: String, _ sql: String) throws -> String {
        try ChildProcess.run(
            [
                "psql", "-h", folder, "-U", "rocket", "-d", database, "-XAtq", "-v",
                "ON_ERROR_STOP=1", "-c", sql,
            ])
    }
}
