public import ArgumentParser
import OrderStore
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
              Check it without a word unless something is wrong, for scripts:
                order_server --check-config --quiet /etc/rocket/order_server.xml
              Check the integrity of the order store:
                order_server --check-store conf/rocket.xml

            Prints one line when it is ready. On SIGTERM or SIGINT it lets running calls finish, \
            then exits with status 0. On SIGHUP it reopens the log files and reloads the \
            configuration; the log lists the changes that were applied and those that need a \
            restart. An order is on disk before its id is sent.

            \(helpSections.text)
            """,
        version: "order_server \(RocketVersion.current)")

    @Argument(
        help: "The configuration file; relative paths in it are relative to its folder.",
        completion: .file(extensions: ["xml"]))
    var config = "conf/rocket.xml"

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

    private static let helpSections = HelpSections(
        exitStatuses: HelpSections.serverStatuses + [.dataError, .noInput],
        files: [
            ("/etc/rocket/order_server.xml", "The configuration of the installed unit."),
            ("/var/lib/order_server/orders.sqlite", "The orders of the installed unit."),
            ("/run/order_server.sock", "The Unix socket of the installed unit."),
        ], environment: HelpSections.serverEnvironment)

    /// Every option at its default, for the parser.
    public init() {}

    /// Refuses --quiet without --check-config.
    public func validate() throws {
        if quiet && !checkConfig { throw ValidationError("--quiet goes with --check-config") }
    }

    /// Checks configuration or store, or serves.
    ///
    /// - Throws: `ProgramFailure`, with one line for standard error.
    public func run() async throws {
        let config = try ConfigurationFile.read(self.config, sections: [OrderStoreConfig.self])
        if checkConfig {
            for warning in config.warnings { StandardError.write(line: warning.description) }
            try OrderServerProgram(file: self.config, config: config).check()
            if !quiet { StandardOutput.write(line: config.report) }
        }
        if checkStore { try check(OrderStore.checkIntegrity, config) }
        if checkConfig || checkStore { return }
        for warning in config.warnings {
            StandardError.write(line: "order_server: \(warning)")
        }
        try await OrderServerProgram(file: self.config, config: config).run()
    }

    private func check(
        _ read: (String) throws(OrderStoreError) -> OrderStoreReport, _ config: RocketConfig
    ) throws {
        do {
            let report = try read(config[OrderStoreConfig.self].path)
            guard report.isSound else {
                throw ProgramFailure(report.description, status: .dataError)
            }
            StandardOutput.write(line: report.description)
        } catch let error as OrderStoreError {
            throw ProgramFailure(error.description, status: error.exitStatus)
        }
    }
}
