import OrderStoring
import RocketSystem

/// The counters of a store and its outages. The store's loop changes them; any thread reads.
final class StoreCounters: Sendable {
    private struct State {
        var statistics = OrderStoreStatistics()
        var outage = WriteOutage()
        var readFailures = ReadFailures()
        var nextReconnected = MonotonicTime(nanoseconds: 0)
    }

    private let state = Locked(State())
    private let observe: OrderStoreObserver

    init(observe: @escaping OrderStoreObserver) { self.observe = observe }

    var statistics: OrderStoreStatistics { state.withLock { $0.statistics } }
    var isFailing: Bool { state.withLock { $0.outage.isActive } }

    func refused() { state.withLock { $0.statistics.refusals += 1 } }

    func committed(orders: Int, repeats: UInt64, at now: MonotonicTime) {
        let event = state.withLock { state in
            state.statistics.transactions += 1
            state.statistics.orders += UInt64(orders)
            state.statistics.repeats += repeats
            return state.outage.wrote(at: now)
        }
        if let event { observe(event) }
    }

    func failed(_ error: OrderStoreError, orders: Int, at now: MonotonicTime) {
        let event = state.withLock { state in
            state.statistics.failures += 1
            return state.outage.failed(error, orders: orders, at: now)
        }
        if let event { observe(event) }
    }

    /// At most one event per second: a connection may be lost again and again.
    func reconnected(host: String, reason: String, at now: MonotonicTime) {
        let isReported = state.withLock { state in
            if now < state.nextReconnected { return false }
            state.nextReconnected = now + .seconds(1)
            return true
        }
        if isReported { observe(.reconnected(host: host, reason: reason)) }
    }

    func readFailed(_ error: OrderStoreError, at now: MonotonicTime) {
        let count = state.withLock { $0.readFailures.record(at: now) }
        if let count { observe(.readsFail(error, since: count)) }
    }
}
