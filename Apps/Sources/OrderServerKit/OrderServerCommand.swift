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
              Serve until Ctrl-C or SIGTERM with conf/rocket.xml in the current folder, or else
              with the installed configuration:
                order_server
              Serve with another file, on another port:
                ROCKET_SERVER_PORT=23456 order_server /etc/rocket/order_server.xml
              Show the effective configuration and the origin of each value:
                order_server --check-config conf/rocket.xml
              Check the integrity of the order store:
                order_server --check-store conf/rocket.xml

            Prints one line when it is ready. On SIGTERM or SIGINT it lets running calls finish, \
            then exits with status 0. On SIGHUP it reopens the log files and reloads the \
            configuration; the log lists the changes that were applied and those that need a \
            restart. An order is on disk before its id is sent.
            """,
        version: "order_server \(RocketVersion.current)")

    @Argument(
        help: ArgumentHelp(
            "The configuration file; relative paths in it are relative to its folder.",
            discussion: "Default: \(localConfig), or else \(installedConfig)."),
        completion: .file(extensions: ["xml"]))
    var config: String?

    @Flag(help: "Print the effective configuration and the origin of each value, then exit.")
    var checkConfig = false

    @Flag(help: "Check the integrity of the whole order store, then exit.")
    var checkStore = false

    /// The configuration without an argument, in the current folder.
    static let localConfig = "conf/rocket.xml"
    /// The configuration without an argument where there is no local one.
    static let installedConfig = "\(ConfigurationFile.installedFolder)/order_server.xml"

    /// Every option at its default, for the parser.
    public init() {}

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

    /// Checks configuration or store, or serves.
    ///
    /// - Throws: `ProgramFailure`, with one line for standard error.
    public func run() async throws {
        let file = try configuration()
        let config = try ConfigurationFile.read(file, sections: [OrderStoreConfig.self])
        if checkConfig {
            for warning in config.warnings { StandardError.write(line: warning.description) }
            StandardOutput.write(line: config.report)
        }
        if checkStore { try check(OrderStore.checkIntegrity, config) }
        if checkConfig || checkStore { return }
        for warning in config.warnings {
            StandardError.write(line: "order_server: \(warning)")
        }
        try await OrderServerProgram(file: file, config: config).run()
    }

    private func check(
        _ read: (String) throws(OrderStoreError) -> OrderStoreReport, _ config: RocketConfig
    ) throws {
        do {
            let report = try read(config[OrderStoreConfig.self].path)
            guard report.isSound else { throw ProgramFailure(report.description) }
            StandardOutput.write(line: report.description)
        } catch let error as OrderStoreError {
            throw ProgramFailure(error.description)
        }
    }
}
