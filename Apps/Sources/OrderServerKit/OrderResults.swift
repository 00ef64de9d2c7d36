import Metrics
import RocketSystem

/// Counts the results of responses, which are no errors of calls: `order_server_results_total` with the
/// method and its `ret_code`. Any thread.
final class OrderResults: Sendable {
    /// The methods whose responses have a `ret_code`.
    enum Method: Int, CaseIterable, Sendable { case makeOrder, queryOrder, listOrders }

    /// `OrderRefusal.code` is within this, and 0 is success.
    static let codes: ClosedRange<Int32> = -7...0

    private let factory: (any MetricsFactory)?
    /// Made with the first result of each kind: the program's back end comes after the handler.
    private let counters: Locked<[Counter?]>

    /// - Parameter factory: makes the counters; nil: that of the process.
    init(factory: (any MetricsFactory)? = nil) {
        self.factory = factory
        counters = Locked(
            Array(repeating: nil, count: Method.allCases.count * Self.codes.count))
    }

    /// Counts a response.
    ///
    /// - Parameter code: its `ret_code`; one that is not within `codes` counts as the lowest.
    func count(_ method: Method, _ code: Int32) {
        let code = min(max(code, Self.codes.lowerBound), Self.codes.upperBound)
        let index =
            method.rawValue * Self.codes.count + Int(code - Self.codes.lowerBound)
        let counter = counters.withLock { counters in
            if let known = counters[index] { return known }
            let made = Counter(
                label: "order_server_results",
                dimensions: [("method", "\(method)"), ("ret_code", "\(code)")],
                factory: factory ?? MetricsSystem.factory)
            counters[index] = made
            return made
        }
        counter.increment()
    }
}
