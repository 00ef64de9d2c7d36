import EndToEndKit
import Foundation
import Testing

/// Where order_server's lines go, as `log_sinks` says.
struct LogSinkTests {
    @Test("file: both streams have a file, standard error has nothing")
    func file() throws {
        let workspace = try workspace("file")
        let ending = try OrderServerProcess(in: workspace).stop()
        #expect(ending.status == 0 && ending.errors.isEmpty, "\(ending)")
        #expect(workspace.logLines().contains { $0.contains("server started") })
    }

    @Test("console: standard error has the lines, and there is no file")
    func console() throws {
        let workspace = try workspace("console")
        let ending = try OrderServerProcess(in: workspace).stop()
        #expect(ending.status == 0 && ending.errors.contains("\tserver started "), "\(ending)")
        #expect(ending.errors.hasPrefix("["), "\(ending)")
        #expect(workspace.logLines().isEmpty)
    }

    @Test("auto: files where standard error is not the journal's")
    func autoWithoutJournal() throws {
        let workspace = try workspace("auto")
        let server = try OrderServerProcess(in: workspace, environment: ["JOURNAL_STREAM": "1:1"])
        let ending = server.stop()
        #expect(ending.status == 0 && ending.errors.isEmpty, "\(ending)")
        #expect(workspace.logLines().contains { $0.contains("server started") })
    }

    @Test(
        "journal and auto: the journal's socket gets the lines as fields",
        .enabled(if: Programs.canMount, "needs root and unshare(1)"),
        arguments: ["journal", "auto"]
    )
    func journal(sinks: String) throws {
        let workspace = try workspace(sinks)
        let journal = try FakeJournal(in: workspace)
        let server = try OrderServerProcess(
            in: workspace, launcher: journal.launcher(asStandardError: sinks == "auto"))
        var entry = try journal.nextEntry()
        while !entry.contains("MESSAGE=server started") { entry = try journal.nextEntry() }
        #expect(entry.contains("ROCKET_STREAM=rpc") && entry.contains("PRIORITY=6"), "\(entry)")
        #expect(entry.contains("ADDRESSES=\(server.address)"), "\(entry)")
        let ending = server.stop()
        #expect(ending.status == 0 && ending.errors.isEmpty, "\(ending)")
        #expect(workspace.logLines().isEmpty)
    }

    @Test(
        "journal: where none runs, the console has the lines",
        .enabled(if: Programs.canMount, "needs root and unshare(1)"))
    func missingJournal() throws {
        let workspace = try workspace("journal")
        let journal = try FakeJournal(in: workspace, isListening: false)
        let ending = try OrderServerProcess(in: workspace, launcher: journal.launcher()).stop()
        #expect(ending.status == 0 && ending.errors.contains("\tserver started "), "\(ending)")
    }

    @Test("console with a journal behind standard error: systemd's priorities stand in front")
    func priorities() throws {
        let workspace = try workspace("console")
        let script = """
            JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$0" "$@"
            """
        let ending = try OrderServerProcess(
            in: workspace, launcher: ["/bin/sh", "-c", script]
        ).stop()
        #expect(ending.status == 0 && ending.errors.hasPrefix("<6>["), "\(ending)")
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
