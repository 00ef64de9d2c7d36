import MetricsTestKit
import OrderStore
import Testing

@testable import OrderServerKit

@Suite("Counting of results") struct OrderResultsTests {
    @Test("Responses are counted by method and ret_code, which is no error of the call")
    func counts() throws {
        let metrics = TestMetrics()
        let results = OrderResults(factory: metrics)
        for code: Int32 in [0, 0, -1, 5, -99] { results.count(.makeOrder, code) }
        results.count(.queryOrder, -3)
        func count(_ method: String, _ code: Int) throws -> Int64 {
            try metrics.expectCounter(
                "order_server_results", [("method", method), ("ret_code", "\(code)")]
            ).totalValue
        }
        #expect(try count("makeOrder", 0) == 3 && count("makeOrder", -1) == 1)
        #expect(try count("makeOrder", -7) == 1 && count("queryOrder", -3) == 1)
        #expect(throws: (any Error).self) { try count("listOrders", 0) }
    }

    @Test("Each refusal has a count of its own")
    func codes() {
        let refusals: [OrderRefusal] = [
            .shortBalance, .emptyGoods, .unknownOrder, .goodsTooLong(limit: 1), .zeroByte,
            .badPageToken, .badKey(limit: 1),
        ]
        #expect(refusals.allSatisfy { OrderResults.codes.contains($0.code) })
    }
}
