public import ArgumentParser
import RocketBase
import RocketProgram

/// The command line of `chat_server`.
public struct ChatServerCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "chat_server",
        abstract: "Serves a chat: each message of a client is sent to all other clients.",
        discussion: """
            EXAMPLES:
              Serve until Ctrl-C or SIGTERM with conf/chat.xml in the current folder, or else
              with the installed configuration:
                chat_server
              Serve with another file, on another port:
                ROCKET_SERVER_PORT=7777 chat_server /etc/rocket/chat.xml
              Show the effective configuration and the origin of each value:
                chat_server --check-config conf/chat.xml

            Prints one line when it is ready. On SIGTERM or SIGINT it sends all queued \
            messages, then exits with status 0. On SIGHUP it reopens the log files and reloads \
            the configuration; the log lists the changes that were applied and those that need \
            a restart. Clients of LibeventMiniChat can connect to it.

            \(helpSections.text)
            """,
        version: "chat_server \(RocketVersion.current)")

    @Argument(
        help: ArgumentHelp(
            "The configuration file; relative paths in it are relative to its folder.",
            discussion: "Default: \(localConfig), or else \(installedConfig)."),
        completion: .file(extensions: ["xml"]))
    var config: String?

    @Flag(
        help: """
            Check the configuration as a start does, print its effective values with their origins, \
            then exit.
            """)
    var checkConfig = false

    @Flag(help: "With --check-config: print only errors and warnings.")
    var quiet = false

    private static let helpSections = HelpSections(
        exitStatuses: HelpSections.serverStatuses,
        files: [
            ("/etc/rocket/chat_server.xml", "The configuration of the installed unit."),
            ("/run/chat_server.sock", "The Unix socket of the installed unit."),
        ], environment: HelpSections.serverEnvironment)

    /// The configuration without an argument, in the current folder.
    static let localConfig = "conf/chat.xml"
    /// The configuration without an argument where there is no local one.
    static let installedConfig = "\(ConfigurationFile.installedFolder)/chat_server.xml"

    /// Every option at its default, for the parser.
    public init() {}

    /// Refuses --quiet without --check-config.
    public func validate() throws {
        if quiet && !checkConfig { throw ValidationError("--quiet goes with --check-config") }
    }

    /// Returns the path of the configuration.
    ///
    /// - Parameters:
    ///   - root: is prepended to the path of the installed configuration, in tests.
    ///   - folder: is prepended to the path of the local one, in tests.
    func configuration(root: String = "", folder: String = "") throws(ProgramFailure) -> String {
        try ConfigurationFile.find(
            config, local: Self.localConfig, installed: Self.installedConfig,
            option: "chat_server FILE", root: root, folder: folder)
    }

    /// Checks the configuration, or serves.
    ///
    /// - Throws: `ProgramFailure`, with one line for standard error.
    public func run() async throws {
        let file = try configuration()
        let config = try ChatConfigurationFile.read(file)
        if checkConfig {
            for warning in config.warnings {
                StandardError.write(line: warning.description, level: .warn)
            }
            let report = try ConfigurationFile.report(config, of: file)
            var plain = config
            plain.server = config.server.withoutTLS
            do { _ = try ChatServerConfiguration(plain, readsFiles: false) } catch {
                throw ProgramFailure("\(file): \(error)", status: .configuration)
            }
            if !quiet { StandardOutput.write(line: report) }
            return
        }
        for warning in config.warnings {
            StandardError.write(line: "chat_server: \(warning)", level: .warn)
        }
        try await ChatServerProgram(file: file, config: config).run()
    }
}

/// Reads the configuration of the server; the port of the chat is its default.
enum ChatConfigurationFile {
    static func read(_ path: String) throws(ProgramFailure) -> RocketConfig {
        var config = try ConfigurationFile.read(path, sections: [ChatConfig.self])
        if config.admin.listen != nil {
            throw ProgramFailure(
                "\(path): admin/listen is set, and chat_server has no page; remove it",
                status: .configuration)
        }
        if config.trace.otlp != nil {
            throw ProgramFailure(
                "\(path): trace/otlp is set, and chat_server serves no calls to trace; remove it",
                status: .configuration)
        }
        let port = config.entries.first { $0.path == "server/port" }
        if port?.origin == .default { config.server.port = ChatServerConfiguration.defaultPort }
        return config
    }
}
