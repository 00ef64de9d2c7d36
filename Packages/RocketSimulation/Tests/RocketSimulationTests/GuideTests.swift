import Foundation
import RocketRPC
import RocketSimulation
import SwiftProtobuf
import Testing

typealias Item = Google_Protobuf_StringValue
typealias Price = Google_Protobuf_Int64Value
typealias InStock = Google_Protobuf_BoolValue
typealias Receipt = Google_Protobuf_StringValue

struct Prices: RPCService {
    static var serviceName: String { "shop.v1.Prices" }
    static let price = RPCMethod<Item, Price>(service: serviceName, name: "price")

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.price) { item, _ in Price(Int64(item.value.count)) }
    }
}

struct Stock: RPCService {
    static var serviceName: String { "shop.v1.Stock" }
    static let find = RPCMethod<Item, InStock>(service: serviceName, name: "find")

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.find) { _, _ in InStock(true) }
    }
}

/// Calls the two others. Without the stock, it accepts orders for later.
struct Orders: RPCService {
    static var serviceName: String { "shop.v1.Orders" }
    static let order = RPCMethod<Item, Receipt>(service: serviceName, name: "order")
    let prices, stock: RPCChannel

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.order) { item, _ in
            async let price = prices.call(Prices.price, item)
            async let found = stock.call(Stock.find, item, timeout: .milliseconds(200))
            let text = try await "\(item.value) for \(price.value)"
            let isThere = (try? await found)?.value ?? false
            return Receipt(isThere ? text : text + ", later")
        }
    }
}

@Suite struct GuideTests {
    @Test("The code of docs/simulation.md is the code of this file")
    func isTheGuide() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../..")
        let guide = try String(
            contentsOf: root.appending(path: "docs/simulation.md"), encoding: .utf8)
        let code = guide.components(separatedBy: "```swift\n").dropFirst().map {
            $0.components(separatedBy: "\n```")[0]
        }
        let file = try String(contentsOfFile: #filePath, encoding: .utf8)
        #expect(code.count == 1)
        for block in code { #expect(file.contains("\n" + block + "\n")) }
    }
}

@Test("Orders succeed although one of two back ends dies", arguments: 1...10)
func oneOfTwoBackEndsDies(seed: UInt64) throws {
    let world = World(seed: seed)
    let prices = try world.host("prices") { try $0.serve([Prices()], port: 80) }
    let stock = try world.host("stock") { try $0.serve([Stock()], port: 80) }
    let orders = try world.host("orders") { host in
        // The process of this host: runs again when the host is started again.
        let service = Orders(
            prices: try host.channel(to: prices, port: 80),
            stock: try host.channel(to: stock, port: 80))
        try host.serve([service], port: 80)
    }
    let client = try world.host("client")
    client.run {
        let channel = try client.channel(to: orders, port: 80)
        for number in 0..<100 {
            // A call that fails ends the task, and with it the test.
            let receipt = try await channel.call(Orders.order, Item("tea"))
            let isDown = number > 45 && number < 55
            if isDown, receipt.value != "tea for 3, later" {
                world.violated(.custom, "order \(number): \(receipt.value)")
            }
            try await client.sleep(for: .milliseconds(50))
        }
    }
    world.schedule(after: .seconds(2)) { stock.kill() }
    world.schedule(after: .seconds(10)) { try? stock.start() }
    try world.run(for: .seconds(40))
    #expect(world.statistics.succeeded >= 200)
    try world.close()
}
