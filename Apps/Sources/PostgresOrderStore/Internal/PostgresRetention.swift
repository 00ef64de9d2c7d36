import OrderStoring
import Postgres
import RocketSystem

/// Removes orders that are older than the retention, as the store on a disk does: once an hour it goes
/// through the oldest ones in small steps, which take at most a tenth of the writer's time. Of several
/// servers one does it at a time, which has an advisory lock for the pass; the others try again an hour
/// later. A value of the writer; each step is a transaction of it.
///
/// Kept are orders with a key that has not expired, and orders that a clock ahead of time has made
/// until their time has passed.
struct PostgresRetention {
    /// The time between two passes.
    static let interval = Duration.seconds(3600)
    /// The time between two reports of a long pass.
    static let reportInterval = Duration.seconds(60)
    /// Orders per step at most.
    static let ordersPerStep: Int64 = 256

    private enum Phase {
        /// Between two passes.
        case waiting
        /// Behind this number.
        case removing(Int64)
        /// The pass has ended, and its lock is to be released.
        case ended
    }

    private let retention: Int64
    private let keyRetention: Int64
    private var phase = Phase.waiting
    /// The time of the next step.
    private(set) var due = MonotonicTime(nanoseconds: 0)
    private var removed = 0
    private var nextReport = MonotonicTime(nanoseconds: 0)

    /// Nil if orders are kept for ever.
    init?(_ configuration: PostgresOrderStoreConfiguration) {
        guard configuration.retention > .zero else { return nil }
        retention = configuration.retention.milliseconds
        keyRetention = max(0, configuration.keyRetention.milliseconds)
    }

    /// The statement of the next step, with its parameters.
    func statement(
        nowMilliseconds now: Int64
    ) -> (statement: PostgresSchema.Statement, parameters: PostgresParameters) {
        var parameters = PostgresParameters()
        switch phase {
        case .waiting: return (PostgresSchema.beginRetention, parameters)
        case .ended: return (PostgresSchema.endRetention, parameters)
        case .removing(let sequence):
            parameters.append(sequence)
            parameters.append(now - retention)
            parameters.append(now - keyRetention)
            parameters.append(now)
            parameters.append(Self.ordersPerStep)
            return (PostgresSchema.removeOrders, parameters)
        }
    }

    /// A step was committed, with this row of its result.
    ///
    /// - Returns: what to report.
    mutating func ended(
        _ row: [Int64?], began begin: MonotonicTime, at end: MonotonicTime
    ) -> [OrderStoreEvent] {
        switch phase {
        case .waiting:
            if row.first == 1 {
                phase = .removing(0)
                nextReport = end + Self.reportInterval
            } else {
                // Another server does it.
                due = end + Self.interval
            }
            return []
        case .ended:
            phase = .waiting
            due = end + Self.interval
            return report(at: end)
        case .removing:
            due = end + (end - begin) * 9
            guard row.count == 5, let last = row[1] else {
                phase = .ended
                return []
            }
            removed += Int(row[0] ?? 0)
            let isBehindOld = row[3] == 0 && row[4] == 1
            let isLast = row[2] ?? 0 < Self.ordersPerStep || isBehindOld
            phase = isLast ? .ended : .removing(last)
            return end >= nextReport ? report(at: end) : []
        }
    }

    /// A step has failed, or the connection was lost, and with that the lock.
    ///
    /// - Parameter isLost: whether the connection was lost.
    /// - Returns: what to report.
    mutating func failed(isLost: Bool, at now: MonotonicTime) -> [OrderStoreEvent] {
        if case .waiting = phase {
            // A connection that is lost between two passes, or can't be opened yet, delays none.
            if !isLost { due = now + Self.interval }
            return []
        }
        if case .removing = phase, !isLost {
            // The lock is released next.
            phase = .ended
            return report(at: now)
        }
        phase = .waiting
        due = now + Self.interval
        return report(at: now)
    }

    private mutating func report(at now: MonotonicTime) -> [OrderStoreEvent] {
        defer { removed = 0 }
        nextReport = now + Self.reportInterval
        return removed > 0 ? [.ordersDeleted(removed)] : []
    }
}
