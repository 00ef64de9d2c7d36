import EndToEndKit
import Foundation
import Testing

/// SIGHUP reloads the configuration and reopens the log files. The log goes to standard error as
/// well, so that a test can wait for its lines.
struct ReloadTests {
    @Test("After a change of the level from INFO to DEBUG the log has the calls")
    func level() throws {
        let server = try start(level: "INFO")
        let connection = try RawConnection(port: server.port)
        try call(connection, "before")
        try configure(server.workspace, level: "DEBUG")
        let reload = hangUp(server)
        #expect(!reload.contains { $0.contains("call served") }, "\(reload)")
        let change = try #require(reload.first { $0.contains("configuration change") })
        #expect(
            change.hasSuffix("configuration change applied path=log/log_level old=INFO new=DEBUG"))
        #expect(reload.last?.hasSuffix("configuration reloaded applied=1 need_restart=0") == true)

        try call(connection, "after")
        let calls = server.child.errorLines(through: "call served")
        #expect(calls.last?.contains("[after]\t[Order.makeOrder]") == true, "\(calls)")
        let result = server.stop(closing: connection)
        #expect(result.status == 0, "\(result)")
    }

    @Test("Logs a change to a higher level before it takes effect")
    func risingLevel() throws {
        let server = try start(level: "DEBUG")
        try configure(server.workspace, level: "ERROR")
        let reload = hangUp(server)
        #expect(reload.contains { $0.hasSuffix("path=log/log_level old=DEBUG new=ERROR") })
        #expect(server.stop().errors.isEmpty)
    }

    @Test("Logs all errors of an invalid file in one line, and keeps the old configuration")
    func brokenFile() throws {
        let server = try start(level: "DEBUG")
        let connection = try RawConnection(port: server.port)
        try configure(server.workspace, level: "LOUD", server: "<port>65536</port>")
        server.child.send(SIGHUP)
        let lines = server.child.errorLines(through: "configuration not reloaded")
        let line = try #require(lines.last)
        #expect(line.hasPrefix("<3>") || line.contains("[ERROR]"))
        #expect(line.contains("LOUD") && line.contains("65536"), "\(line)")

        try call(connection, "still")
        let calls = server.child.errorLines(through: "call served")
        #expect(calls.last?.contains("[still]") == true)
        #expect(!calls.contains { $0.contains("configuration") }, "\(calls)")

        // The corrected file is applied.
        try configure(server.workspace, level: "INFO")
        #expect(hangUp(server).last?.hasSuffix("applied=1 need_restart=0") == true)
        #expect(server.stop(closing: connection).status == 0)
    }

    @Test("Logs changes that need a restart at each reload, and applies limits")
    func restartNeeded() throws {
        let server = try start(level: "INFO")
        try configure(
            server.workspace, level: "INFO",
            server: "<io_threads>3</io_threads><max_in_flight>7</max_in_flight>")
        let first = hangUp(server).filter { $0.contains("configuration ") }
        #expect(first.count == 3, "\(first)")
        #expect(first[0].hasSuffix("change applied path=server/max_in_flight old=65536 new=7"))
        #expect(
            first[1].hasSuffix("change needs a restart path=server/io_threads old=2 new=3"))
        #expect(first[2].hasSuffix("configuration reloaded applied=1 need_restart=1"))
        let second = hangUp(server).filter { $0.contains("configuration ") }
        #expect(second.count == 2, "\(second)")
        #expect(server.stop().status == 0)
    }

    @Test("After a rename by logrotate lines go to a new file with the old name")
    func rename() throws {
        let server = try start(level: "INFO")
        let folder = server.workspace.path + "/log"
        let files = FileManager.default
        let names = try files.contentsOfDirectory(atPath: folder)
        let name = try #require(names.first { $0.contains("_app_") })
        try files.moveItem(atPath: folder + "/" + name, toPath: folder + "/rotated")
        _ = hangUp(server)
        #expect(server.stop().status == 0)
        let after = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
        #expect(after.contains("configuration reloaded"))
    }

    private func start(level: String) throws -> OrderServerProcess {
        let workspace = try Workspace()
        try configure(workspace, level: level)
        return try OrderServerProcess(in: workspace)
    }

    private func configure(
        _ workspace: Workspace, level: String, server: String = "<io_threads>2</io_threads>"
    ) throws {
        let port = server.contains("<port>") ? "" : "<port>0</port>"
        try workspace.write(
            """
            <root>
              <log>
                <log_level>\(level)</log_level>
                <log_sinks>file,console</log_sinks>
                <log_file_path>log/</log_file_path>
                <log_sync_interval>10</log_sync_interval>
              </log>
              <server>\(port)\(server)</server>
            </root>
            """)
    }

    /// Sends SIGHUP and returns the lines logged until the reload is complete.
    private func hangUp(_ server: OrderServerProcess) -> [String] {
        server.child.send(SIGHUP)
        return server.child.errorLines(through: "configuration reloaded")
    }

    private func call(_ connection: RawConnection, _ id: String) throws {
        try connection.send(
            TinyPBBytes("Order.makeOrder", id: id, payload: TinyPBBytes.applePayload).bytes)
        let reply = try connection.receiveFrame()
        #expect(reply?.messageID == id && reply?.errorCode == 0)
    }
}
