import MetricsTestKit
import RocketBase
import RocketRPC
import Testing

@testable import RocketRPCMetrics

@Suite struct MetricsTests {
    let metrics = TestMetrics()
    let dimensions = [("side", "server"), ("method", "test.v1.Echo.say")]

    @Test("Calls, errors, latency, calls in flight and bytes are measured")
    func measures() async throws {
        let dispatcher = try RPCDispatcher(
            services: [Echo()], interceptors: [RPCMetrics(factory: metrics)])
        for _ in 0..<3 { #expect(try await say("four", to: dispatcher).rawValue == 0) }
        #expect(try await say("fail", to: dispatcher) == .permissionDenied)
        func calls(_ code: String) throws -> Int64 {
            try metrics.expectCounter("rocket_rpc_calls_total", dimensions + [("code", code)])
                .totalValue
        }
        #expect(try calls("OK") == 3)
        #expect(try calls("PERMISSION_DENIED") == 1)
        let durations = try metrics.expectTimer("rocket_rpc_duration", dimensions)
        #expect(durations.values.count == 4)
        let inFlight = try metrics.expectMeter("rocket_rpc_in_flight", dimensions)
        #expect(inFlight.values == [1, 0, 1, 0, 1, 0, 1, 0])
        let requests = try metrics.expectCounter("rocket_rpc_request_bytes_total", dimensions)
        #expect(requests.totalValue == 24)
        let responses = try metrics.expectCounter("rocket_rpc_response_bytes_total", dimensions)
        #expect(responses.totalValue == 18)
    }
}
