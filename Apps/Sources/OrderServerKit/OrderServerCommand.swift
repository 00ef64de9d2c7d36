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
              Serve until Ctrl-C or SIGTERM with conf/rocket.xml in the current folder, or else
              with the installed configuration:
                order_server
              Serve with another file, on another port:
                ROCKET_SERVER_PORT=23456 order_server /etc/rocket/order_server.xml
              Show the effective configuration and the origin of each value:
                order_server --check-config conf/rocket.xml
              Check it without a word unless something is wrong, for scripts:
                order_server --check-config --quiet /etc/rocket/order_server.xml
              Check the integrity of the order store:
                order_server --check-store conf/rocket.xml
              Copy the store while the server runs; the copy is verified and on disk:
                order_server --backup monday.sqlite conf/rocket.xml
              Replace the store by a copy, while the server is stopped:
                order_server --restore monday.sqlite conf/rocket.xml
              Give the space of deleted orders back, while the server is stopped:
                order_server --compact conf/rocket.xml
              Copy the store into a PostgreSQL database, while the server is stopped:
                order_server --migrate var/orders.sqlite postgresql://orders@db/shop
              Count the orders in a script:
                order_server --check-store --json conf/rocket.xml | jq .orders

            Prints one line when it is ready. On SIGTERM or SIGINT it lets running calls finish, \
            then exits with status 0. On SIGHUP it reopens the log files and reloads the \
            configuration; the log lists the changes that were applied and those that need a \
            restart. An order is on disk before its id is sent.

            \(helpSections.text)
            """,
        version: "order_server \(RocketVersion.current)")

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

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            """
            Copy the orders of the SQLite file FROM into the PostgreSQL database TO \
            (postgresql://…), compare both, then exit. Repeated after an end in between, it goes on. \
            Needs no configuration.
            """, valueName: "FROM TO"), completion: .file())
    var migrate: [String] = []

    @Flag(
        help: """
            Print the result of --check-store, --backup, --restore, --compact or --migrate as JSON.
            """)
    var json = false

    private static let helpSections = HelpSections(
        exitStatuses: HelpSections.serverStatuses + [.dataError, .noInput],
        files: [
            ("/etc/rocket/order_server.xml", "The configuration of the installed unit."),
            ("/var/lib/order_server/orders.sqlite", "The orders of the installed unit."),
            ("/run/order_server.sock", "The Unix socket of the installed unit."),
        ], environment: HelpSections.serverEnvironment)

    /// The configuration without an argument, in the current folder.
    static let localConfig = "conf/rocket.xml"
    /// The configuration without an argument where there is no local one.
    static let installedConfig = "\(ConfigurationFile.installedFolder)/order_server.xml"

    /// Every option at its default, for the parser.
    public init() {}

    /// Checks that options fit together.
    ///
    /// - Throws: `ValidationError`.
    public func validate() throws {
        let actions = [checkStore, backup != nil, restore != nil, compact, !migrate.isEmpty]
            .filter { $0 }.count
        if actions > 1 {
            throw ValidationError(
                "use one of --check-store, --backup, --restore, --compact and --migrate at a time")
        }
        if json, actions == 0 {
            throw ValidationError(
                "--json needs --check-store, --backup, --restore, --compact or --migrate")
        }
        if !migrate.isEmpty, migrate.count != 2 || config != nil || checkConfig {
            throw ValidationError("--migrate takes FROM and TO, and no configuration")
        }
        if quiet, !checkConfig { throw ValidationError("--quiet goes with --check-config") }
    }

    /// Returns the path of the configuration.
    ///
    /// - Parameters:
    ///   - root: is prepended to the path of the installed configuration, in tests.
    ///   - folder: is prepended to the path of the local one, in tests.
    func configuration(root: String = "", folder: String = "") throws(ProgramFailure) -> String {
        try ConfigurationFile.find(
            config, local: Self.localConfig, installed: Self.installedConfig,
            option: "order_server FILE", root: root, folder: folder)
    }

    /// Checks configuration or store, copies the store, or serves.
    ///
    /// - Throws: `ProgramFailure`, with one line for standard error.
    public func run() async throws {
        if migrate.count == 2 {
            return try await StoreMigration(
                source: migrate[0], target: migrate[1], isJSON: json
            ).run()
        }
        let file = try configuration()
        let config = try ConfigurationFile.read(file, sections: [OrderStoreConfig.self])
        if checkConfig {
            for warning in config.warnings {
                StandardError.write(line: warning.description, level: .warn)
            }
            try OrderServerProgram(file: file, config: config).check()
            let report = try ConfigurationFile.report(config, of: file)
            if !quiet { StandardOutput.write(line: report) }
        }
        let store = config[OrderStoreConfig.self]
        if store.url != nil, checkStore || backup != nil || restore != nil || compact {
            throw ProgramFailure(
                "\(file): --check-store, --backup, --restore and --compact are for a store in a "
                    + "file, and order_store/url is set: use PostgreSQL's tools",
                status: .configuration)
        }
        let hasMaintained = try maintain(StoreMaintenance(path: store.path, isJSON: json))
        if checkConfig || hasMaintained { return }
        for warning in config.warnings {
            StandardError.write(line: "order_server: \(warning)", level: .warn)
        }
        try await OrderServerProgram(file: file, config: config).run()
    }

    /// - Returns: whether an option for the store was given.
    private func maintain(_ store: StoreMaintenance) throws(ProgramFailure) -> Bool {
        if backup != nil || restore != nil || compact {
            try StoreMaintenance.endCleanlyBySignals()
        }
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
