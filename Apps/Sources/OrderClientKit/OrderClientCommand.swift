public import ArgumentParser
import OrderProtos
import RocketProgram

/// The command line of `order_client`.
public struct OrderClientCommand: AsyncParsableCommand {
    /// Name, help, version and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "order_client",
        abstract:
            "Makes, finds, lists and watches orders of an order server, and checks its health.",
        discussion: """
            EXAMPLES:
              Make an order, with the stub 'order' of the configuration:
                order_client make --price 100 --goods apple
              Find an order on a server at an address, and print JSON:
                order_client get 202611210000000001 --to 127.0.0.1:12345 --json
              List all orders, with a time-out of half a second per page:
                order_client list --all --timeout 500ms
              Print the orders that are made from now on, until Ctrl-C:
                order_client watch
              Check in a script whether the service Order can be called:
                order_client health Order && echo "can be called"

            The configuration is conf/rocket.xml in the current folder, or else \
            \(TargetOptions.installedConfig).

            After an error prints one line on standard error: the method, the peer, what \
            happened, and the name of the error code. A retried order is never made twice.

            \(helpSections.text)
            """,
        version: "order_client \(RocketVersion.current)",
        subcommands: [Make.self, Get.self, List.self, Watch.self, Health.self])

    private static let helpSections = HelpSections(
        exitStatuses: HelpSections.clientStatuses,
        files: [
            ("conf/rocket.xml", "The configuration with the stubs, in the current folder."),
            (TargetOptions.installedConfig, "The same where there is no local one."),
        ],
        environment: [
            ("ROCKET_STUBS_NAME_ELEMENT", "Overrides an element: ROCKET_STUBS_ORDER_TIMEOUT."),
            ("NO_COLOR", "No colours on a terminal, if it is not empty."),
        ])

    /// Every option at its default, for the parser.
    public init() {}
}

extension OrderClientCommand {
    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make an order.")

        @Option(
            parsing: .unconditional,
            help: "The price in the smallest unit of the currency; at least 10.")
        var price: Int32

        @Option(help: "The name of the goods.")
        var goods: String

        @OptionGroup var options: CallOptions

        func run() async throws {
            let orders = try OrderClientFacade(options)
            try options.print(await orders.make(price: price, goods: goods))
        }
    }

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Find an order by its id.")

        @Argument(help: "The id, as printed by make.")
        var orderID: String

        @OptionGroup var options: CallOptions

        func run() async throws {
            let orders = try OrderClientFacade(options)
            try options.print(await orders.get(orderID))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List orders, oldest first, page by page.")

        @Option(help: "Orders on a page; 0: the default of the server.")
        var pageSize: Int32 = 0

        @Option(help: "The start of the page, as printed by the page before.")
        var pageToken = ""

        @Flag(help: "List all pages to the end.")
        var all = false

        @OptionGroup var options: CallOptions

        func run() async throws {
            let orders = try OrderClientFacade(options)
            try options.print(
                await orders.list(pageSize: pageSize, pageToken: pageToken, all: all))
        }
    }
    struct Health: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check the health of any Rocket server, for scripts and monitoring.",
            discussion: """
                Calls rocket.Health.check once.

                EXAMPLES:
                  Wait in a script until the server can be reached, for a minute at most:
                    order_client health Order --wait --timeout 1m
                  Check another server, over its Unix socket:
                    order_client health shop.v1.Catalogue --to /run/shop.sock
                  As a plugin of Nagios or Icinga:
                    order_client health Order --to order.example.org:12345 --nagios

                \(HealthReport.exitStatusHelp)
                """)

        @OptionGroup var health: HealthOptions
        @OptionGroup var target: TargetOptions

        func run() async throws { try await health.check { try target.target() } }
    }
}
