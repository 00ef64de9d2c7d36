import RocketProgram
import RocketSystem

/// The file of a report. It gets its name when it is complete and on disk: a full disk, or the end of
/// the process, leaves the former report as it was. Blocks; any thread.
///
/// What can't be replaced is written in place: a pipe, a device such as /dev/stdout, a symbolic link,
/// and a file in a folder in which this user may make no files.
enum ReportFile {
    /// Checks that a report can be written, without changing the file.
    ///
    /// - Throws: `ProgramFailure` with the path and why (cannotCreate, notPermitted, ioError).
    static func check(_ path: String) throws(ProgramFailure) {
        do throws(SystemError) {
            if let part = try newPart(of: path) { return try FileSystem.remove(part) }
            if FileSystem.exists(path) { try FileSystem.check(path, .write) }
        } catch { throw failure(path, error) }
    }

    /// Writes a report, in place of a former one. The mode of that stays; a new file has 0644, as far as
    /// the umask allows.
    ///
    /// - Throws: as `check`.
    static func write(_ text: String, to path: String) throws(ProgramFailure) {
        let bytes = Array(text.utf8)
        do throws(SystemError) {
            guard let part = try newPart(of: path) else {
                return try FileContents.write(bytes, to: path)
            }
            do throws(SystemError) {
                try FileContents.write(bytes, to: part)
                if let mode = try FileSystem.status(of: path)?.mode {
                    try FileSystem.setMode(part, mode & 0o777)
                }
                try FileSystem.openForWriting(part).sync()
                try FileSystem.rename(part, to: path)
            } catch {
                try? FileSystem.remove(part)
                throw error
            }
        } catch { throw failure(path, error) }
    }

    /// The names that are tried: what a crash has left is not taken.
    private static let attempts = 0..<100

    /// Creates a file that is to get the report's name; nil: that is written in place.
    private static func newPart(of path: String) throws(SystemError) -> String? {
        let exists = FileSystem.exists(path)
        if exists {
            if try FileSystem.status(of: path)?.isFolder == true {
                throw SystemError("open \(path)", Errno(rawValue: 21 /* EISDIR */))
            }
            if FileSystem.size(of: path) == nil { return nil }
            do throws(SystemError) { _ = try FileSystem.openForWriting(path) } catch {
                // Refuses links, too.
                if error.errno.isNotPermitted { throw error }
                return nil
            }
        }
        let folder = FileSystem.folder(of: path)
        var failure = SystemError("open \(path)", .exists)
        for attempt in attempts {
            let part = "\(folder)/.rocket-\(CurrentProcess.processID)-\(attempt).part"
            do throws(SystemError) {
                _ = try FileSystem.createNew(part, mode: 0o644)
                return part
            } catch {
                failure = error
                if !error.errno.isExisting { break }
            }
        }
        if exists, failure.errno.isNotPermitted { return nil }
        throw failure
    }

    private static func failure(_ path: String, _ error: SystemError) -> ProgramFailure {
        ProgramFailure(
            "\(path) can't be written: \(error.errno)", status: ExitStatus(of: error.errno))
    }
}
