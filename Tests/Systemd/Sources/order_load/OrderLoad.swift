import ArgumentParser

/// Clients of an order server that count what becomes of each of their orders.
@main struct OrderLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "order_load",
        abstract: "Makes orders as fast as it may, and looks afterwards whether all are there.",
        subcommands: [MakeOrders.self, VerifyOrders.self])
}
