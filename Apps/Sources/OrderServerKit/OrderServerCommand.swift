public import ArgumentParser
import OrderStore
import RocketProgram
import RocketBase

/// `order_server` as it is typed.
public struct OrderServerCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "order_server",
        abstract: "Serves orders over TinyPB and keeps them on disk.",
        discussion: """
            EXAMPLES:
              Serve by conf/rocket.xml until Ctrl-C or SIGTERM:
                order_server
              Serve by another file, on another port:
                ROCKET_SERVER_PORT=23456 order_server /etc/rocket/order_server.xml
              See what would be in force, and where each value comes from:
                order_server --check-config conf/rocket.xml
              Read every stored order and say whether all is well:
                order_server --check-store conf/rocket.xml

            Prints one line when it is ready. SIGTERM and SIGINT let the calls under way finish, \
            then it ends with status 0. SIGHUP opens the log files again and reloads the \
            configuration; the log says what was applied and what needs a restart. An order is \
            on disk before its id is sent.
            """,
        version: "order_server \(RocketVersion.current)")

    @Argument(
        help: "The configuration; relative paths in it are relative to its folder.",
        completion: .file(extensions: ["xml"]))
    var config = "conf/rocket.xml"

    @Flag(help: "Print the effective configuration and where each value comes from, then end.")
    var checkConfig = false

    @Flag(help: "Read the whole order store and say whether it is sound, then end.")
    var checkStore = false

    /// As the parser makes it.
    public init() {}

    /// Does what was typed; `ProgramFailure` tells what went wrong.
    public func run() async throws {
        let config = try ConfigurationFile.read(self.config, sections: [OrderStoreConfig.self])
        if checkConfig {
            for warning in config.warnings { StandardError.write(line: warning.description) }
            StandardOutput.write(line: config.report)
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
            guard report.isSound else { throw ProgramFailure(report.description) }
            StandardOutput.write(line: report.description)
        } catch let error as OrderStoreError {
            throw ProgramFailure(error.description)
        }
    }
}
