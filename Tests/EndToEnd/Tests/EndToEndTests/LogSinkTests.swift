import EndToEndKit
import Foundation
import Testing

/// The sinks of order_server's log, by `log_sinks`.
struct LogSinkTests {
    @Test("file: both streams write to a file, and nothing to standard error")
    func file() throws {
        let workspace = try workspace("file")
        let result = try OrderServerProcess(in: workspace).stop()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(workspace.logLines().contains { $0.contains("server started") })
    }

    @Test("console: lines go to standard error, and there is no file")
    func console() throws {
        let workspace = try workspace("console")
        let result = try OrderServerProcess(in: workspace).stop()
        #expect(result.status == 0 && result.errors.contains("\tserver started "), "\(result)")
        #expect(result.errors.hasPrefix("["), "\(result)")
        #expect(workspace.logLines().isEmpty)
    }

    @Test("auto: lines go to files if standard error is not connected to the journal")
    func autoWithoutJournal() throws {
        let workspace = try workspace("auto")
        let server = try OrderServerProcess(in: workspace, environment: ["JOURNAL_STREAM": "1:1"])
        let result = server.stop()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(workspace.logLines().contains { $0.contains("server started") })
    }

    @Test(
        "journal and auto: lines go to the socket of the journal as fields",
        .enabled(if: Programs.canMount, "needs root and unshare(1)"),
        arguments: ["journal", "auto"]
    )
    func journal(sinks: String) throws {
        let workspace = try workspace(sinks)
        let journal = try FakeJournal(in: workspace)
        let server = try OrderServerProcess(
            in: workspace, launcher: journal.launcher(asStandardError: sinks == "auto"))
        var entry = try journal.nextEntry()
        while !entry.contains(where: { $0.hasPrefix("MESSAGE=server started ") }) {
            entry = try journal.nextEntry()
        }
        #expect(entry.contains("ROCKET_STREAM=rpc") && entry.contains("PRIORITY=6"), "\(entry)")
        #expect(entry.contains("ADDRESSES=\(server.address)"), "\(entry)")
        let result = server.stop()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(workspace.logLines().isEmpty)
    }

    @Test(
        "journal: lines go to the console if no journal runs",
        .enabled(if: Programs.canMount, "needs root and unshare(1)"))
    func missingJournal() throws {
        let workspace = try workspace("journal")
        let journal = try FakeJournal(in: workspace, isListening: false)
        let result = try OrderServerProcess(in: workspace, launcher: journal.launcher()).stop()
        #expect(result.status == 0 && result.errors.contains("\tserver started "), "\(result)")
    }

    @Test("console: lines begin with systemd's priorities if standard error is the journal's")
    func priorities() throws {
        let workspace = try workspace("console")
        let script = """
            JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$0" "$@"
            """
        let result = try OrderServerProcess(
            in: workspace, launcher: ["/bin/sh", "-c", script]
        ).stop()
        #expect(result.status == 0 && result.errors.hasPrefix("<6>["), "\(result)")
    }

    private func workspace(_ sinks: String) throws -> Workspace {
        let workspace = try Workspace()
        try workspace.write(
            """
            <root>
              <log><log_sinks>\(sinks)</log_sinks><log_file_path>log/</log_file_path></log>
              <server><port>0</port><io_threads>1</io_threads></server>
            </root>
            """)
        return workspace
    }
}
