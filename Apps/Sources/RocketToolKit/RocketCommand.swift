public import ArgumentParser
import RocketProgram

/// The command line of `rocket`.
public struct RocketCommand: AsyncParsableCommand {
    /// Name, help, version and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "rocket",
        abstract:
            "Calls, loads, records and watches servers, checks configurations, shows crashes.",
        discussion: """
            EXAMPLES:
              List the services of a server, and the methods of one:
                rocket call 127.0.0.1:12345 --list
                rocket call 127.0.0.1:12345 --list Order
              Make a call; the request is JSON:
                rocket call localhost:12345 Order.makeOrder '{"price":100,"goods":"a"}'
              Load a server for ten seconds, with 16 calls in flight:
                rocket load localhost:12345 Order.makeOrder '{"price":100,"goods":"a"}'
              Record calls of a server, and make them again at another one:
                rocket record unix:/run/order_server/admin.sock -o calls.binlog --calls 1000
                rocket replay calls.binlog localhost:12346 --ignore order_id
              Check a configuration before a server is restarted:
                rocket check /etc/rocket/order_server.xml
              Show what a process did before it crashed:
                rocket crash /run/order_server/flight.1

            \(helpSections.text)
            """,
        version: "rocket \(RocketVersion.current)",
        subcommands: [
            CallCommand.self, LoadCommand.self, CompareCommand.self, RecordCommand.self,
            ReplayCommand.self, TopCommand.self, CheckCommand.self, CrashCommand.self,
        ])

    private static let helpSections = HelpSections(
        exitStatuses: [
            .failure, .dataError, .noInput, .unavailable, .cannotCreate, .ioError,
            .temporaryFailure, .protocolError,
            .notPermitted, .configuration,
        ],
        environment: [("NO_COLOR", "No colours on a terminal, if it is not empty.")])

    /// Every option at its default, for the parser.
    public init() {}
}
