import ArgumentParser
import Foundation
import OrderProtos
import RocketRPC

/// Lists all orders and checks that each acknowledged order is in the store once, under the id that
/// its client received.
///
/// Prints one line of figures, and exits with status 1 if an order is lost or doubled.
struct VerifyOrders: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "verify")

    @OptionGroup var server: ServerOptions
    @Argument(help: "Files written by make.") var acks: [String]

    func run() async throws {
        let client = OrderClient(try server.channels(1, RPCChannelConfiguration())[0])
        var stored: [String: [String]] = [:]
        var orders = 0
        var request = ListOrdersRequest()
        request.pageSize = 500
        repeat {
            let page = try await client.listOrders(request, timeout: .seconds(10))
            for order in page.orders { stored[order.goods, default: []].append(order.orderID) }
            orders += page.orders.count
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty

        var (acknowledged, lost, otherID) = (0, 0, 0)
        for file in acks {
            for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
                let parts = line.split(separator: " ").map(String.init)
                acknowledged += 1
                guard let ids = stored[parts[0]] else {
                    lost += 1
                    continue
                }
                if !ids.contains(parts[1]) { otherID += 1 }
            }
        }
        let doubled = stored.filter { $0.value.count > 1 }
        print(
            "stored=\(orders) acknowledged=\(acknowledged) lost=\(lost) doubled=\(doubled.count) "
                + "other_id=\(otherID)")
        // Of the whole store: also orders that others have made with the same goods.
        for (goods, ids) in doubled.sorted(by: { $0.key < $1.key }).prefix(10) {
            print("doubled: \(goods) \(ids.joined(separator: " "))")
        }
        if lost + doubled.count + otherID > 0 { throw ExitCode(1) }
    }
}
