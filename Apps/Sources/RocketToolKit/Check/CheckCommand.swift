import ArgumentParser
import RocketBase
import RocketProgram

/// `rocket check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration file as the servers do.",
        discussion: """
            Reads the file and the environment variables that override it, certificates and keys that \
            it names, and prints every problem with its line: file:line:column, as compilers do. Ends \
            with status 0 if the file can be used, also with warnings; with --strict only without any; \
            else with 1.

            Sections of programs, such as order_store, are only noted; the programs check them: \
            order_server --check-config FILE.

            EXAMPLES:
              rocket check /etc/rocket/order_server.xml
              rocket check conf/rocket.xml --report
            """)

    @Argument(
        help: ArgumentHelp("The configuration file.", valueName: "file"),
        completion: .file(extensions: ["xml"]))
    var file: String

    @Flag(help: "Print the effective configuration: each value with its origin.")
    var report = false

    @Flag(help: "Fail on warnings, too.")
    var strict = false

    func run() throws {
        let result = ConfigCheck(file: file)
        for line in result.lines { StandardError.write(line: line, level: .warn) }
        if result.errors > 0 || strict && result.warnings > 0 { throw ExitCode(1) }
        if report, let text = result.report {
            StandardOutput.write(line: text)
        } else {
            let warnings = result.warnings
            let suffix =
                warnings == 0 ? "" : " (\(warnings) \(warnings == 1 ? "warning" : "warnings"))"
            StandardOutput.write(line: "\(TerminalText.safe(file)) is valid\(suffix)")
        }
    }
}

/// What is wrong with a configuration file.
struct ConfigCheck {
    /// One line for each problem.
    private(set) var lines: [String] = []
    private(set) var errors = 0
    private(set) var warnings = 0
    /// The effective configuration; nil: the file can't be used.
    private(set) var report: String?

    /// Reads the file, and what it names.
    init(file: String) {
        let config: RocketConfig
        do { config = try RocketConfig(contentsOf: file) } catch {
            error.issues.forEach { add($0) }
            return
        }
        config.warnings.forEach { add($0) }
        for stub in config.stubs {
            do { _ = try ServerTarget(stub) } catch { fail("\(file): \(error)") }
        }
        do { try ProgramNames.check(config.server) } catch {
            fail("\(file): root/server/registration: \(error.message)")
        }
        do { try ProgramTracing.check(config.trace) } catch {
            fail("\(file): root/trace/otlp: \(error.message)")
        }
        do { report = try ConfigurationFile.report(config, of: file) } catch { fail("\(error)") }
    }

    private mutating func add(_ issue: ConfigIssue) {
        if Self.isOfProgram(issue) {
            // Known to its program only.
            lines.append(
                issue.description.replacing(
                    "warning: \(issue.path): \(issue.message)",
                    with: "note: \(issue.path): a section of a program, whose --check-config "
                        + "checks it"))
            return
        }
        lines.append(issue.description)
        if issue.severity == .error { errors += 1 } else { warnings += 1 }
    }

    /// Whether it is about a section that is none of Rocket's, nor one with a similar name.
    private static func isOfProgram(_ issue: ConfigIssue) -> Bool {
        issue.severity == .warning && issue.path.split(separator: "/").count == 2
            && issue.message == "is unknown and is ignored"
    }

    private mutating func fail(_ text: String) {
        lines.append(TerminalText.safe(text))
        errors += 1
    }
}
