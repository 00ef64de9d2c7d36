import RocketBase
import RocketRPC
import RocketSimulation
import SwiftProtobuf
import Testing

@testable import chain

/// The three services on three simulated hosts, in virtual time.
@Suite struct ChainWorldTests {
    // docs: world
    @Test(
        "A rate that comes late is estimated; no call takes longer than its deadline",
        arguments: 1...10)
    func deadlines(seed: UInt64) throws {
        let world = World(seed: seed)
        let rates = try world.host("rates") { host in
            let service = Rates { currency, call in
                // USD takes 10 seconds, but nobody waits for so long.
                if currency == "USD" { try await host.sleep(for: .seconds(10)) }
                return 94
            }
            try host.serve([service], port: 80)
        }
        let pricing = try world.host("pricing") { host in
            let channel = try host.channel(to: rates, port: 80)
            try host.serve([Pricing(rates: Chain_RatesClient(channel))], port: 80)
        }
        let shop = try world.host("shop") { host in
            let channel = try host.channel(to: pricing, port: 80)
            try host.serve([Shop(pricing: Chain_PricingClient(channel))], port: 80)
        }
        let client = try world.host("client")
        client.run {
            let shop = Chain_ShopClient(try client.channel(to: shop, port: 80))
            func quote(_ currency: String, _ timeout: Duration) async throws(RPCError) -> Bool {
                let request = Chain_QuoteRequest.with {
                    $0.item = "tea"
                    $0.currency = currency
                }
                return try await shop.quote(request, timeout: timeout, options: .waitForReady)
                    .isEstimate
            }
            if try await quote("CHF", .seconds(1)) { world.violated(.custom, "CHF is estimated") }
            // Pricing gives up after 200 ms, while its own caller still waits.
            if try await !quote("USD", .seconds(1)) {
                world.violated(.custom, "USD is no estimate")
            }
            do throws(RPCError) {
                // The caller's deadline passes first, at all three services.
                _ = try await quote("USD", .milliseconds(100))
                world.violated(.custom, "a call took longer than its deadline")
            } catch {
                if error.code != .deadlineExceeded { world.violated(.custom, "\(error)") }
            }
            world.count("done")
        }
        try world.run(for: .seconds(5))
        #expect(world.statistics.counts["done", default: 0] == 1)
        try world.close()
    }
    // docs: end

    // docs: faults
    @Test("While the rates are down, quotes are estimates", arguments: 1...10)
    func outage(seed: UInt64) throws {
        let world = World(seed: seed)
        let rates = try world.host("rates") { try $0.serve([Rates { _, _ in 94 }], port: 80) }
        let pricing = try world.host("pricing") { host in
            let channel = try host.channel(to: rates, port: 80)
            try host.serve([Pricing(rates: Chain_RatesClient(channel))], port: 80)
        }
        let client = try world.host("client")
        client.run {
            let pricing = Chain_PricingClient(try client.channel(to: pricing, port: 80))
            let request = Chain_QuoteRequest.with {
                $0.item = "tea"
                $0.currency = "CHF"
            }
            for second in 1...30 {
                // A call that fails ends the task, and with it the test.
                let quote = try await pricing.price(request, options: .waitForReady)
                if (12...18).contains(second), !quote.isEstimate {
                    world.violated(.custom, "a rate in second \(second), without its server")
                }
                world.count(quote.isEstimate ? "estimates" : "rates")
                try await client.sleep(for: .seconds(1))
            }
        }
        world.schedule(after: .seconds(10)) { rates.losePower() }
        world.schedule(after: .seconds(20)) { try? rates.start() }
        try world.run(for: .seconds(60))
        #expect(
            world.statistics.counts["estimates", default: 0] >= 7
                && world.statistics.counts["rates", default: 0] >= 10)
        try world.close()
    }
    // docs: end
}
