public import ArgumentParser
import OrderProtos
import RocketProgram

/// `order_client` as it is typed.
public struct OrderClientCommand: AsyncParsableCommand {
    /// Name, help, version and what it can do.
    public static let configuration = CommandConfiguration(
        commandName: "order_client",
        abstract: "Makes orders on an order server and finds them again.",
        discussion: """
            EXAMPLES:
              Make an order, with the stub 'order' of conf/rocket.xml:
                order_client make --price 100 --goods apple
              Find it again on a server by address, for a program to read:
                order_client get 202611210000000001 --to 127.0.0.1:12345 --json
              List all orders, waiting for half a second at most for each page:
                order_client list --all --timeout 500ms

            Ends with status 0, or with status 1 and one line on standard error: which call, to \
            whom, what happened, and the code's name. A retried order is never made twice.
            """,
        version: "order_client \(RocketVersion.current)",
        subcommands: [Make.self, Get.self, List.self])

    /// As the parser makes it.
    public init() {}
}

extension OrderClientCommand {
    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make an order.")

        @Option(
            parsing: .unconditional,
            help: "What it costs, in the shop's smallest unit of money; at least 10.")
        var price: Int32

        @Option(help: "What to buy.")
        var goods: String

        @OptionGroup var options: CallOptions

        func run() async throws {
            let shop = try OrderClientFacade(options)
            let answer = try await shop.make(price: price, goods: goods)
            try options.show(answer)
        }
    }

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Find an order by its id.")

        @Argument(help: "As make printed it.")
        var orderID: String

        @OptionGroup var options: CallOptions

        func run() async throws {
            let shop = try OrderClientFacade(options)
            try options.show(await shop.get(orderID))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List orders, oldest first, page by page.")

        @Option(help: "Orders on a page; the server decides where this is missing.")
        var pageSize: Int32 = 0

        @Option(help: "Where to go on, as the page before printed it.")
        var pageToken = ""

        @Flag(help: "All pages to the end.")
        var all = false

        @OptionGroup var options: CallOptions

        func run() async throws {
            let shop = try OrderClientFacade(options)
            try options.show(
                await shop.list(pageSize: pageSize, pageToken: pageToken, all: all))
        }
    }
}
