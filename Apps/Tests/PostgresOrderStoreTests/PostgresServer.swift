import Foundation
import Glibc
import Postgres
import RocketBaseTestKit
import RocketSystem
import Testing

/// A PostgreSQL server of this test process, in a folder of its own with a Unix socket: no port. It
/// ends with the process, however that ends: a shell that starts it waits for the end of its input.
final class PostgresServer: Sendable {
    /// One for all tests that don't restart it.
    static let shared = Result { try PostgresServer() }

    /// The folder of PostgreSQL's programs: one of PATH, or Debian's of the newest version.
    private static let programs: String? = {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
            .sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        return (path.map(String.init) + versions.map { "\(root)/\($0)/bin" }).first { folder in
            ["initdb", "pg_ctl", "psql"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
            }
        }
    }()

    /// Whether PostgreSQL's server is installed. With REQUIRE_POSTGRES=1 the tests fail if it is not.
    static let isInstalled =
        programs != nil || ProcessInfo.processInfo.environment["REQUIRE_POSTGRES"] == "1"

    /// Its client.
    static let psql = "\(programs ?? "")/psql"

    let folder: String
    /// Where it listens at 127.0.0.1 too; nil: nowhere.
    let port: Int?
    private let keeper: RunningProgram
    private let databases = Locked(0)

    /// PostgreSQL does not run as root.
    private static let asUser = """
        PATH=\(programs ?? ""):$PATH
        run() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u nobody -- "$@"); else "$@"; fi; }
        """

    /// - Parameters:
    ///   - primary: the server that it is a standby of; nil: it is a server of its own.
    ///   - port: a free port of 127.0.0.1; nil: none.
    ///   - settings: of its configuration, as name=value.
    ///   - files: a folder with files that are copied into that of its data; the folder that it is in
    ///     is removed when the server ends. nil: none.
    init(
        standbyOf primary: PostgresServer? = nil, port: Int? = nil, settings: [String] = [],
        files: String? = nil
    ) throws {
        folder = "/tmp/rocket-pg-\(UUID().uuidString.prefix(8))"
        self.port = port
        let script = """
            # It lives long: what it has inherited of other tests must not.
            for fd in /proc/self/fd/*; do
                [ "${fd##*/}" -gt 2 ] && eval "exec ${fd##*/}>&-"
            done
            \(Self.asUser)
            run mkdir -m 0755 "$1" || exit 1
            if [ -n "$3" ]; then
                run pg_basebackup -h "$3" -U rocket -D "$1/data" -R -c fast --no-sync || exit 1
            else
                run initdb -D "$1/data" -A trust -U rocket -E UTF8 --locale=C.UTF-8 --no-sync \
                    >/dev/null || exit 1
            fi
            if [ -n "$4" ]; then
                run cp "$4"/* "$1/data" && run chmod 600 "$1"/data/*.key || exit 1
            fi
            run pg_ctl -D "$1/data" -w -s -l "$1/log" -o "-k $1 -c listen_addresses='' -c fsync=off \
                -c max_connections=300 $5" start || exit 1
            : >"$2"
            cat >/dev/null
            run pg_ctl -D "$1/data" -s -m immediate stop 2>/dev/null
            rm -rf "$1" "$2" ${4:+"${4%/*}"}
            """
        let ready = folder + ".ready"
        keeper = try RunningProgram(
            [
                "bash", "-c", script, "bash", folder, ready, primary?.folder ?? "", files ?? "",
                (settings + (port.map { ["listen_addresses=127.0.0.1", "port=\($0)"] } ?? []))
                    .map { "-c \($0)" }.joined(separator: " "),
            ])
        while !FileManager.default.fileExists(atPath: ready) {
            try #require(keeper.isRunning, "PostgreSQL has not started")
            usleep(10_000)
        }
    }

    deinit { keeper.finish() }

    /// Creates an empty database, and returns its name.
    func makeDatabase() throws -> String {
        // One at a time: they are copies of one template.
        try databases.withLock { number in
            number += 1
            let name = "orders_\(number)"
            _ = try Self.psql(folder, port, "postgres", "CREATE DATABASE \(name)")
            return name
        }
    }

    /// Executes SQL in a database, as another client, and returns the rows, columns by `|`.
    @discardableResult
    func execute(_ sql: String, in database: String) throws -> String {
        try Self.psql(folder, port, database, sql)
    }

    /// The URL of a database.
    ///
    /// - Parameter host: the folder of the socket; nil: that of the server.
    func url(_ database: String, host: String? = nil) throws -> PostgresURL {
        try PostgresURL("postgresql://rocket@/\(database)?host=\(host ?? folder)")
    }

    /// Ends the server as a crash does, and starts it again.
    func restart() throws { try control("-m immediate restart -l \"$1/log\"") }

    /// Changes its configuration, which sessions observe later.
    func configure(_ sql: String) throws {
        try execute(sql, in: "postgres")
        try execute("SELECT pg_reload_conf()", in: "postgres")
    }

    /// Ends the server as a crash does.
    func stop() throws { try control("-m immediate stop") }

    /// Makes the standby a server of its own, and waits for it.
    func promote() throws { try control("promote") }

    private func control(_ command: String) throws {
        let script = "\(Self.asUser); run pg_ctl -D \"$1/data\" -w -s \(command)"
        _ = try RunningProgram.run(["/bin/sh", "-c", script, "sh", folder])
    }

    private static func psql(
        _ folder: String, _ port: Int?, _ database: String, _ sql: String
    ) throws -> String {
        try RunningProgram.run(
            [
                psql, "-h", folder, "-U", "rocket", "-d", database, "-XAtq", "-v",
                "ON_ERROR_STOP=1", "-p", "\(port ?? 5432)", "-c", sql,
            ])
    }
}

extension RunningProgram {
    /// Runs a program to its end, and returns its output.
    static func run(_ words: [String]) throws -> String {
        let path = "/tmp/rocket-pg-output-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let status = try RunningProgram(words, output: path).wait()
        try #require(status == 0, "\(words)")
        return try String(contentsOfFile: path, encoding: .utf8)
            .trimmingCharacters(in: .newlines)
    }
}
