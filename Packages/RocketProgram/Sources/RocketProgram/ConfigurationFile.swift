public import RocketBase
import RocketJournal
import RocketSystem
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
    /// Opens the log that `root/log` of the configuration describes: files, console or journal. Makes
    /// the flight recorder of `root/server/flight_recorder` before; if the process before has crashed,
    /// a line says so and where its file is.
    ///
    /// - Parameter program: the name in the flight recorder's file.
    /// - Throws: `ProgramFailure` if the log files or the recorder's file cannot be opened.
    public static func open(
        _ config: RocketConfig, program: String
    ) throws(ProgramFailure) -> LogSystem {
        var configuration = LogConfiguration(config.log)
        do throws(SystemError) {
            configuration.flightRecorder = try FlightRecorder(
                config.server, program: program, logBuffers: configuration.bufferCount)
        } catch {
            throw ProgramFailure(
                "cannot make the flight recorder: \(error)", status: ExitStatus(of: error))
        }
        let logs: LogSystem
        do { logs = try LogSystem(withJournal: configuration) } catch {
            configuration.flightRecorder?.close()
            throw ProgramFailure(
                "cannot open the log in \(config.log.filePath): \(error)",
                status: ExitStatus(of: error))
        }
        if let earlier = logs.flightRecorder?.earlier {
            logs.app.warn("the process before has crashed: see rocket crash FILE") {
                $0.add("file", earlier.path)
                $0.add("pid", earlier.processID)
            }
        }
        return logs
    }
}
