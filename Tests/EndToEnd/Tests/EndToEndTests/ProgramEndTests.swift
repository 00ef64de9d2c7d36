import EndToEndKit
import Foundation
import Testing

/// How programs end when what they print can't be written, and when something hangs.
struct ProgramEndTests {
    /// Starts a program by the shell, with redirections.
    func shell(_ command: String, in folder: String? = nil) throws -> ChildProcess {
        try ChildProcess("/bin/bash", ["-c", "exec \(command)"], in: folder)
    }

    @Test(
        "A full disk under standard output ends a program with status 74 and one line",
        arguments: [
            "order_server --check-config", "order_server --help", "order_client --version",
            "chat_server --help", "chat_client --help", "rocket_generator --help",
            "protoc-gen-rocket --help",
        ])
    func fullDisk(command: String) throws {
        let workspace = try Workspace()
        let program = Programs.path(command)
        let configuration = command.hasSuffix("config") ? workspace.configuration : ""
        let result = try shell("\(program) \(configuration) >/dev/full").finish()
        #expect(result.isOneErrorLine && result.status == 74, "\(result)")
        #expect(result.errors.contains("can't write to standard output"), "\(result)")
    }

    @Test("A server outlives the reader of its ready line and ends with status 0")
    func goneReader() throws {
        let workspace = try Workspace()
        let server = try shell(
            "\(Programs.path("order_server")) \(workspace.configuration) > >(head -1 >&2)")
        #expect(server.errorLines(through: "listening on").last?.contains("is ready") == true)
        server.send(SIGTERM)
        let result = server.finish()
        #expect(result.status == 0 && !result.wasKilled, "\(result)")
        #expect(workspace.logLines().contains { $0.contains("server drained") })
    }

    @Test("A server whose ready line can't be written serves, and ends with status 74")
    func unwrittenReadyLine() throws {
        let workspace = try Workspace()
        try FileManager.default.createDirectory(
            atPath: workspace.path + "/log", withIntermediateDirectories: true)
        let server = try shell(
            "\(Programs.path("order_server")) \(workspace.configuration) >/dev/full")
        while !workspace.logLines().contains(where: { $0.contains("server started") }) {
            sched_yield()
        }
        server.send(SIGTERM)
        let result = server.finish()
        #expect(result.isOneErrorLine && result.status == 74, "\(result)")
        #expect(workspace.logLines().contains { $0.contains("ready line could not be written") })
    }

    @Test("SIGTERM drains a server while its reload waits for a FIFO")
    func reloadFromFIFO() throws {
        let server = try OrderServerProcess(in: Workspace())
        try FileManager.default.removeItem(atPath: server.workspace.configuration)
        mkfifo(server.workspace.configuration, 0o600)
        server.child.send(SIGHUP)
        // Returns once the server has opened the FIFO, which then has a writer that writes nothing.
        let writer = open(server.workspace.configuration, O_WRONLY)
        defer { close(writer) }
        let result = server.stop()
        #expect(result.status == 0 && !result.wasKilled, "\(result)")
    }

    @Test("A log file that is a FIFO ends the start with one line")
    func logFIFO() throws {
        let workspace = try Workspace()
        let folder = workspace.path + "/log"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let date = Date().formatted(
            Date.VerbatimFormatStyle(
                format: "\(year: .defaultDigits)\(month: .twoDigits)\(day: .twoDigits)",
                timeZone: .current, calendar: .init(identifier: .gregorian)))
        mkfifo("\(folder)/order_server_rpc_\(date)_log.0", 0o600)
        let result = try Programs.run("order_server", [workspace.configuration])
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("a FIFO that no process reads"), "\(result)")
    }

    @Test("A LISTEN_FDS that is not true ends the start with one line")
    func untrueListenFDs() throws {
        let workspace = try Workspace()
        let server = Programs.path("order_server")
        for name in ["order_server", "chat_server"] {
            // The shell's own id becomes that of the program.
            let result = try shell(
                "env LISTEN_FDS=2 LISTEN_PID=$$ \(server.dropLast(12))\(name) "
                    + workspace.configuration
            ).finish()
            #expect(result.isOneErrorLine && result.status == 78, "\(name): \(result)")
            #expect(result.errors.contains("LISTEN_FDS=2 is not true"), "\(name): \(result)")
        }
    }

    @Test("An argument that is not UTF-8 ends a program with one line")
    func malformedArgument() throws {
        let result = try shell(
            "\(Programs.path("order_server")) --check-config $'caf\\xe9.xml'"
        ).finish()
        #expect(result.isOneErrorLine && result.status == 64, "\(result)")
        #expect(result.errors.contains("argument 2 is not UTF-8, from its byte 3 on"), "\(result)")
    }

    @Test("A variable that is not UTF-8 ends a program with its name")
    func malformedVariable() throws {
        let workspace = try Workspace()
        let server = Programs.path("order_server")
        let result = try shell(
            "env ROCKET_LOG_FILE_PATH=$'caf\\xe9' \(server) "
                + workspace.configuration
        ).finish()
        #expect(result.isOneErrorLine && result.status == 78, "\(result)")
        #expect(result.errors.contains("$ROCKET_LOG_FILE_PATH"), "\(result)")
    }
}
