import ArgumentParser

/// The command line of `order_load`.
@main struct OrderLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "order_load",
        abstract: "Makes orders under load, and verifies afterwards that all are in the store.",
        discussion: """
            EXAMPLES:
              Make orders for 10 seconds and record the acknowledged ones:
                order_load make --to 127.0.0.1:12345 --seconds 10 --acks load.acks
              Verify that each of them is in the store once:
                order_load verify --to 127.0.0.1:12345 load.acks
            """,
        subcommands: [MakeOrders.self, VerifyOrders.self])
}
