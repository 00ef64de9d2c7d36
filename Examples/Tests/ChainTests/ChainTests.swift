import RocketBase
import RocketCodec
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Synchronization
import Testing

@testable import chain

/// The three services over TCP, each on a port of its own.
@Suite struct ChainTests {
    /// Runs the chain while `body` runs.
    private func withChain(
        _ rates: Rates, _ body: (Chain_ShopClient) async throws -> Void
    ) async throws {
        try await withServer(rates) { toRates in
            try await withServer(Pricing(rates: Chain_RatesClient(toRates))) { toPricing in
                try await withServer(Shop(pricing: Chain_PricingClient(toPricing))) { toShop in
                    try await body(Chain_ShopClient(toShop))
                }
            }
        }
    }

    /// Runs a server on a free port, and a channel to it, while `body` runs.
    private func withServer(
        _ service: any RPCService, _ body: (RPCChannel) async throws -> Void
    ) async throws {
        let server = try RPCServer(
            configuration: RPCServerConfiguration(
                tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])),
            services: [service])
        let running = Task { try await server.run() }
        let channel = try RPCChannel(to: try #require(await server.boundAddresses.first))
        let result: Result<Void, any Error>
        do { result = .success(try await body(channel)) } catch { result = .failure(error) }
        channel.close()
        server.beginDrain()
        try await running.value
        try result.get()
    }

    private let tea = Chain_QuoteRequest.with {
        $0.item = "tea"
        $0.currency = "CHF"
    }

    @Test("Id, trace and tenant of a call reach all services")
    func context() async throws {
        try await withChain(Rates { _, _ in 94 }) { shop in
            let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            let quote = try await shop.quote(
                tea, timeout: .seconds(60),
                metadata: ["traceparent": trace, "x-tenant": "blue"],
                options: .with { $0.messageID = "call-1" })
            #expect(quote.cents == 423 && !quote.isEstimate)
            #expect(
                quote.hops.map(\.method) == [
                    "chain.Rates.Rate", "chain.Pricing.Price", "chain.Shop.Quote",
                ])
            for hop in quote.hops {
                #expect(hop.messageID == "call-1")
                #expect(hop.tenant == "blue")
                #expect(hop.traceparent == trace)
            }
        }
    }

    @Test("An error of the second service reaches the caller of the first one")
    func error() async throws {
        try await withChain(Rates { _, _ in 94 }) { shop in
            let error = await #expect(throws: RPCError.self) {
                try await shop.quote(.with { $0.currency = "CHF" }, timeout: .seconds(60))
            }
            #expect(error?.code == .notFound)
        }
    }

    // docs: cancel
    @Test("A caller that gives up cancels the last handler of the chain")
    func cancellation() async throws {
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let (ends, ended) = AsyncStream.makeStream(of: Bool.self)
        let rates = Rates { _, call in
            arrived.yield()
            // Waits for nothing but its cancellation.
            for await _ in AsyncStream<Void>.makeStream().stream {}
            ended.yield(call.isCancelled)
            throw CancellationError()
        }
        try await withChain(rates) { shop in
            let caller = Task { try await shop.quote(tea, timeout: .seconds(60)) }
            var arrival = arrivals.makeAsyncIterator()
            await arrival.next()
            caller.cancel()
            var end = ends.makeAsyncIterator()
            #expect(await end.next() == true)
            let error = await #expect(throws: RPCError.self) { try await caller.value }
            #expect(error?.code == .cancelled)
        }
    }
    // docs: end
}
