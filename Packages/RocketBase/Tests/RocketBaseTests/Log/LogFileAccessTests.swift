import Foundation
import RocketSystem
import Testing

@testable import RocketBase

/// Modes of log files and folders, and log files that are no regular files. The umask belongs to the
/// process, so each body that changes it runs in a child process.
@Suite struct LogFileAccessTests {
    static func configuration(_ folder: String) -> LogConfiguration {
        var configuration = LogConfiguration()
        configuration.file.folder = folder
        configuration.file.name = "x"
        return configuration
    }

    static func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test("Files are 0600 and folders 0700, whatever the umask", arguments: [0, 0o022, 0o777])
    func modes(umask: mode_t) async throws {
        let folder = TemporaryFolder()
        await #expect(processExitsWith: .exitCode(0)) {
            [path = folder.path as String, umask = umask as mode_t] in
            _ = Foundation.umask(umask)
            let logs = try LogSystem(Self.configuration(path + "/deep/log"))
            logs.app.info("line")
            logs.shutdown()
            exit(0)
        }
        #expect(Self.mode(folder.path + "/deep") == 0o700)
        #expect(Self.mode(folder.path + "/deep/log") == 0o700)
        let names = try FileSystem.names(in: folder.path + "/deep/log")
        #expect(names.count == 2)
        for name in names { #expect(Self.mode(folder.path + "/deep/log/" + name) == 0o600) }
    }

    @Test("The configuration can let a group read the files, and enter the folder")
    func configuredModes() throws {
        let folder = TemporaryFolder()
        let xml = "<root><log><log_file_mode>0640</log_file_mode></log></root>"
        var configuration = LogConfiguration(try load(xml).log)
        configuration.file.folder = folder.path + "/log"
        let logs = try LogSystem(drivenByHand: configuration, time: SystemTimeSource())
        #expect(Self.mode(folder.path + "/log") == 0o750)
        for name in try FileSystem.names(in: folder.path + "/log") {
            #expect(Self.mode("\(folder.path)/log/\(name)") == 0o640)
        }
        logs.shutdown()
    }

    @Test(
        "A mode is octal, and always lets the process itself write",
        arguments: ["0400", "0755", "9", "rw"])
    func invalidModes(text: String) {
        let found = issues("<root><log><log_file_mode>\(text)</log_file_mode></log></root>")
        #expect(found.count == 1)
        #expect(found.first?.contains("allowed: an octal mode, 0600 to 0666") == true)
    }

    /// The names of the files that a log opens now.
    func currentNames() -> [String] {
        let now = SystemTimeSource().wall()
        let date = CivilDate(at: now, utcOffsetSeconds: LocalTime.utcOffsetSeconds(at: now))
        return ["rpc", "app"].map { "\(LogFileName(prefix: "x_\($0)", date: date, index: 0))" }
    }

    @Test("A FIFO in place of a log file is an error at the start and does not block")
    func startWithFIFO() throws {
        let folder = TemporaryFolder()
        for name in currentNames() { mkfifo("\(folder.path)/\(name)", 0o600) }
        let error = #expect(throws: SystemError.self) {
            _ = try LogSystem(Self.configuration(folder.path))
        }
        #expect(error?.description.contains("a FIFO that no process reads: ENXIO") == true)
    }

    @Test("A log file that has become a FIFO loses lines and blocks neither the log nor its end")
    func reopenedFIFO() throws {
        let folder = TemporaryFolder()
        let sink = MemorySink()
        let logs = try LogSystem(Self.configuration(folder.path), sinks: [sink])
        for name in currentNames() {
            try FileSystem.remove("\(folder.path)/\(name)")
            mkfifo("\(folder.path)/\(name)", 0o600)
        }
        logs.reopen()
        for _ in 0..<10 { logs.app.info("lost") }
        logs.shutdown()
        #expect(logs.statistics.lost == 10)
        #expect(sink.lines.contains { $0.contains("log lines are being lost") })
    }

    @Test("A log file that is a link to a missing file creates that file, with the configured mode")
    func danglingLink() throws {
        let folder = TemporaryFolder()
        let (link, target) = ("\(folder.path)/link", "\(folder.path)/target")
        #expect(symlink(target, link) == 0)
        _ = try FileSystem.openForAppending(link, mode: 0o600)
        #expect(FileSystem.size(of: target) == 0)
        #expect(Self.mode(target) == 0o600)
    }

    @Test("A folder that can't be created is reported with the error of mkdir")
    func folderError() {
        // stat of the missing folder, made after mkdir, fails with ENOENT.
        let error = #expect(throws: SystemError.self) {
            try FileSystem.makeFolder("/proc/self/no-folder")
        }
        #expect(error?.operation == "mkdir /proc/self/no-folder")
        #expect(error?.errno.isMissing == true)
        let readOnly = #expect(throws: SystemError.self) {
            try FileSystem.makeFolder("/proc/self/status/x")
        }
        #expect(readOnly?.errno.rawValue == ENOTDIR)
    }
}
