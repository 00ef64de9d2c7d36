import OrderProtos
import RocketGRPC
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

@testable import BenchKit

struct BenchLoadTests {
    private func serve<Result>(
        _ handler: BenchHandler, payloadBytes: Int? = nil,
        _ body: (NetAddress) async throws -> Result
    ) async throws -> Result {
        var configuration = RPCServerConfiguration(tcp: .init(listen: [.loopback(port: 0)]))
        configuration.codec = BenchLimits.codec(payloadBytes: payloadBytes)
        configuration.tcp.connection = BenchLimits.connection(payloadBytes: payloadBytes)
        configuration.protocols = [.grpc()]
        let server = try RPCServer(
            configuration: configuration,
            services: [handler.service(payloadBytes: payloadBytes)])
        async let running: Void = server.run()
        let address = try #require(await server.boundAddresses.first)
        let result = try await body(address)
        server.beginDrain()
        try await running
        return result
    }

    private func load(
        _ address: NetAddress, rate: Double? = nil, payloadBytes: Int? = nil,
        slowPercent: Double = 0
    ) -> BenchLoad {
        BenchLoad(
            address: address, connections: 2, inFlight: 4, duration: .milliseconds(50),
            callsPerSecond: rate, payloadBytes: payloadBytes, slowPercent: slowPercent,
            serverProcess: nil)
    }

    @Test("A closed loop makes calls until its time is over, and counts every call")
    func closedLoop() async throws {
        let report = try await serve(.sync) { try await load($0).run() }
        #expect(report.calls > 0)
        #expect(report.histogram_ns.map { $0[1] }.reduce(0, +) == UInt64(report.calls))
        #expect(report.slow_calls == 0)
    }

    @Test("Batches make exactly as many calls as are requested, slow ones among them")
    func batches() async throws {
        let report = try await serve(.slow) { address in
            var load = load(address, slowPercent: 10)
            load.calls = 100
            load.batch = 16
            return try await load.run()
        }
        #expect(report.calls == 100)
        #expect(report.slow_calls == 10)
    }

    @Test("An open loop makes as many calls as its rate requires")
    func openLoop() async throws {
        let report = try await serve(.async) { try await load($0, rate: 1000).run() }
        #expect(report.calls == 50)
    }

    @Test("Counts slow calls and excludes them from the latencies")
    func slowCalls() async throws {
        let report = try await serve(.slow) {
            try await load($0, rate: 1000, slowPercent: 10).run()
        }
        #expect(report.slow_calls == 5)
        #expect(report.histogram_ns.map { $0[1] }.reduce(0, +) == 45)
    }

    @Test("Sends and receives payloads of the requested size")
    func payload() async throws {
        try await serve(.sync, payloadBytes: 100_000) { address in
            var configuration = RPCChannelConfiguration()
            configuration.timeout = .seconds(600)
            let client = OrderClient(try RPCChannel(to: address, configuration: configuration))
            let reply = try await client.makeOrder(.with { $0.price = 1 })
            #expect(reply.orderID.utf8.count == 100_000)
            #expect(reply.orderID.hasPrefix("2023051420230514"))
            let report = try await load(address, payloadBytes: 100_000).run()
            #expect(report.calls > 0)
        }
    }

    @Test("Calls are made on gRPC, too")
    func grpc() async throws {
        let report = try await serve(.async) { address in
            var load = load(address)
            load.wire = .grpc
            return try await load.run()
        }
        #expect(report.calls > 0)
    }

    @Test("The JSON has the names of the reference clients")
    func json() async throws {
        let text = try await serve(.sync) { try await load($0).run() }.json()
        for name in [
            "calls", "slow_calls", "seconds", "calls_per_second", "server_cpu_us",
            "client_cpu_us", "p50_us", "p99_us", "p999_us", "max_us", "histogram_ns",
        ] {
            #expect(text.contains("\"\(name)\":"))
        }
    }
}
