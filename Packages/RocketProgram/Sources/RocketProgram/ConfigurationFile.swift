public import RocketBase
import RocketJournal

/// Reads a program's configuration and reports errors in one line.
public enum ConfigurationFile {
    /// Reads the configuration from the file at `path` and from environment variables.
    ///
    /// - Parameter sections: sections of the program, in addition to those of Rocket.
    /// - Throws: `ProgramFailure` with all errors in one line, status 78, also for a missing file.
    public static func read(
        _ path: String, sections: [any ConfigSection.Type] = []
    ) throws(ProgramFailure) -> RocketConfig {
        do {
            return try RocketConfig(contentsOf: path, sections: sections)
        } catch {
            let errors = error.issues.filter { $0.severity == .error }
            guard let first = errors.first else {
                throw ProgramFailure(error.description, status: .configuration)
            }
            let more = errors.dropFirst().map { "; also \($0.description)" }.joined()
            throw ProgramFailure(first.description + more, status: .configuration)
        }
    }
}

extension LogSystem {
    /// Opens the log that `root/log` of the configuration describes: files, console or journal.
    ///
    /// - Throws: `ProgramFailure` if the log files cannot be opened.
    public static func open(_ config: RocketConfig) throws(ProgramFailure) -> LogSystem {
        do { return try LogSystem(withJournal: LogConfiguration(config.log)) } catch {
            throw ProgramFailure(
                "cannot open the log in \(config.log.filePath): \(error)",
                status: ExitStatus(of: error))
        }
    }
}
