package import RocketSystem

/// Whether a store can write, and what failed while it could not. An outage begins with a failure and
/// ends when the store has written and nothing has failed for a while, so that a store that fails now
/// and then has one outage and not many. A value.
package struct WriteOutage: Sendable {
    private struct Counts {
        var transactions: UInt64 = 0
        var orders: UInt64 = 0
        var lastFailure: MonotonicTime
        var isDiskFull: Bool
    }

    private var counts: Counts?

    /// The time without a failure after which an outage ends.
    package static let settleInterval = Duration.seconds(5)

    package init() {}

    /// Whether there is an outage.
    package var isActive: Bool { counts != nil }

    /// Whether the last failure was a full disk.
    package var isDiskFull: Bool { counts?.isDiskFull ?? false }

    /// Records a transaction that has failed.
    ///
    /// - Returns: the event to report.
    package mutating func failed(
        _ error: OrderStoreError, orders: Int, at now: MonotonicTime
    ) -> OrderStoreEvent? {
        let isFirst = counts == nil
        var counts = counts ?? Counts(lastFailure: now, isDiskFull: false)
        counts.transactions += 1
        counts.orders += UInt64(orders)
        counts.lastFailure = now
        counts.isDiskFull = error == .diskFull
        self.counts = counts
        return isFirst ? .writesFail(error) : nil
    }

    /// Records a transaction that was stored.
    ///
    /// - Returns: the event to report: the outage is over.
    package mutating func wrote(at now: MonotonicTime) -> OrderStoreEvent? {
        guard let ended = counts, now >= ended.lastFailure + Self.settleInterval else { return nil }
        counts = nil
        return .writesRecovered(transactions: ended.transactions, orders: ended.orders)
    }
}
