public import ArgumentParser
import RocketBase
import RocketProgram

/// The command line of `order_server`.
public struct OrderServerCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "order_server",
        abstract: "Serves orders over TinyPB and stores them on disk.",
        discussion: """
            EXAMPLES:
              Serve with conf/rocket.xml until Ctrl-C or SIGTERM:
                order_server
              Serve with another file, on another port:
                ROCKET_SERVER_PORT=23456 order_server /etc/rocket/order_server.xml
              Show the effective configuration and the origin of each value:
                order_server --check-config conf/rocket.xml
              Check the integrity of the order store:
                order_server --check-store conf/rocket.xml
              Copy the store while the server runs; the copy is verified and on disk:
                order_server --backup monday.sqlite conf/rocket.xml
              Replace the store by a copy, while the server is stopped:
                order_server --restore monday.sqlite conf/rocket.xml
              Give the space of deleted orders back, while the server is stopped:
                order_server --compact conf/rocket.xml
              Count the orders in a script:
                order_server --check-store --json conf/rocket.xml | jq .orders

            Prints one line when it is ready. On SIGTERM or SIGINT it lets running calls finish, \
            then exits with status 0. On SIGHUP it reopens the log files and reloads the \
            configuration; the log lists the changes that were applied and those that need a \
            restart. An order is on disk before its id is sent.
            """,
        version: "order_server \(RocketVersion.current)")

    @Argument(
        help: "The configuration file; relative paths in it are relative to its folder.",
        completion: .file(extensions: ["xml"]))
    var config = "conf/rocket.xml"

    @Flag(help: "Print the effective configuration and the origin of each value, then exit.")
    var checkConfig = false

    @Flag(help: "Check the integrity of the whole order store, then exit.")
    var checkStore = false

    @Option(
        help: ArgumentHelp(
            "Copy the order store to FILE, which must not exist, then exit. A server may use it.",
            valueName: "FILE"), completion: .file())
    var backup: String?

    @Option(
        help: ArgumentHelp(
            "Replace the order store by a copy of FILE, then exit. The old files are kept.",
            valueName: "FILE"), completion: .file())
    var restore: String?

    @Flag(help: "Make the file of the order store as small as its contents, then exit.")
    var compact = false

    @Flag(help: "Print the result of --check-store, --backup, --restore or --compact as JSON.")
    var json = false

    /// Every option at its default, for the parser.
    public init() {}

    /// Checks that options fit together.
    ///
    /// - Throws: `ValidationError`.
    public func validate() throws {
        let actions = [checkStore, backup != nil, restore != nil, compact].filter { $0 }.count
        if actions > 1 {
            throw ValidationError(
                "use one of --check-store, --backup, --restore and --compact at a time")
        }
        if json, actions == 0 {
            throw ValidationError(
                "--json needs --check-store, --backup, --restore or --compact")
        }
    }

    /// Checks configuration or store, copies the store, or serves.
    ///
    /// - Throws: `ProgramFailure`, with one line for standard error.
    public func run() async throws {
        let config = try ConfigurationFile.read(self.config, sections: [OrderStoreConfig.self])
        if checkConfig {
            for warning in config.warnings { StandardError.write(line: warning.description) }
            StandardOutput.write(line: config.report)
        }
        let hasMaintained = try maintain(
            StoreMaintenance(path: config[OrderStoreConfig.self].path, isJSON: json))
        if checkConfig || hasMaintained { return }
        for warning in config.warnings {
            StandardError.write(line: "order_server: \(warning)")
        }
        try await OrderServerProgram(file: self.config, config: config).run()
    }

    /// - Returns: whether an option for the store was given.
    private func maintain(_ store: StoreMaintenance) throws(ProgramFailure) -> Bool {
        if checkStore {
            try store.check()
        } else if let backup {
            try store.backUp(to: backup)
        } else if let restore {
            try store.restore(from: restore)
        } else if compact {
            try store.compact()
        } else {
            return false
        }
        return true
    }
}
