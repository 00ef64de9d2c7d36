public import ArgumentParser
import RocketProgram
import RocketBase

/// `chat_server` as it is typed.
public struct ChatServerCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "chat_server",
        abstract: "Serves a chat: what one client says goes to all others.",
        discussion: """
            EXAMPLES:
              Serve by conf/chat.xml until Ctrl-C or SIGTERM:
                chat_server
              Serve by another file, on another port:
                ROCKET_SERVER_PORT=7777 chat_server /etc/rocket/chat.xml
              See what would be in force, and where each value comes from:
                chat_server --check-config conf/chat.xml

            Prints one line when it is ready. SIGTERM and SIGINT send what waits, then it ends \
            with status 0. SIGHUP opens the log files again and reloads the configuration; the \
            log says what was applied and what needs a restart. Clients of LibeventMiniChat can \
            talk to it.
            """,
        version: "chat_server \(RocketVersion.current)")

    @Argument(
        help: "The configuration; relative paths in it are relative to its folder.",
        completion: .file(extensions: ["xml"]))
    var config = "conf/chat.xml"

    @Flag(help: "Print the effective configuration and where each value comes from, then end.")
    var checkConfig = false

    /// As the parser makes it.
    public init() {}

    /// Does what was typed; `ProgramFailure` tells what went wrong.
    public func run() async throws {
        let config = try ChatConfigurationFile.read(self.config)
        if checkConfig {
            for warning in config.warnings { StandardError.write(line: warning.description) }
            return StandardOutput.write(line: config.report)
        }
        for warning in config.warnings { StandardError.write(line: "chat_server: \(warning)") }
        try await ChatServerProgram(file: self.config, config: config).run()
    }
}

/// The server's configuration, with the chat's port where the file and the environment name none.
enum ChatConfigurationFile {
    static func read(_ path: String) throws(ProgramFailure) -> RocketConfig {
        var config = try ConfigurationFile.read(path, sections: [ChatConfig.self])
        let port = config.entries.first { $0.path == "server/port" }
        if port?.origin == .default { config.server.port = ChatServerConfiguration.defaultPort }
        return config
    }
}
