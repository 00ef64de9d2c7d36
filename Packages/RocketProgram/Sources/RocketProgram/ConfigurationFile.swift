public import RocketBase
import RocketJournal
import RocketTLS

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

    /// Returns the effective configuration as text, for `--check-config`, with a line for each
    /// certificate that it names, and for the authority of each file that is valid for longest:
    /// subject, names, serial number and end. Reads those files, and keys, too.
    ///
    /// - Throws: `ProgramFailure` (configuration) with the first file that can't be used.
    public static func report(
        _ config: RocketConfig, of file: String
    ) throws(ProgramFailure) -> String {
        try report(config, of: file, by: TLSProvider())
    }

    static func report(
        _ config: RocketConfig, of file: String, by provider: TLSProvider
    ) throws(ProgramFailure) -> String {
        do throws(TransportSecurityError) { try provider.load(config) } catch {
            throw ProgramFailure("\(file): \(error)", status: .configuration)
        }
        let certificates = provider.certificates.map { TerminalText.safe("certificate \($0)") }
        let authorities = provider.authorities.map { TerminalText.safe("authority \($0)") }
        return ([config.report] + certificates + authorities).joined(separator: "\n")
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
