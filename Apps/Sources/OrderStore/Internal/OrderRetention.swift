import OrderStoring
import RocketSystem
import SQLite

/// Removes orders that are older than the retention: once an hour it goes through the oldest ones in
/// small steps, each of which archives and then deletes some. A crash in between leaves orders in
/// both; the next step finds them in the archive and deletes them. It takes at most a tenth of the
/// writer's time. Belongs to the writer's thread.
///
/// Kept are orders with a key that has not expired, and orders that a clock ahead of time has made
/// until their time has passed.
struct OrderRetention {
    /// The time between two passes.
    static let interval = Duration.seconds(3600)
    /// The time between two reports of a long pass.
    static let reportInterval = Duration.seconds(60)

    private struct DeletionFailure: Error {}

    /// Orders per step at most.
    static let ordersPerStep = 256

    private let retention: Int64
    private let keyRetention: Int64
    private var archive: OrderArchive?
    /// The last sequence number of the last step of this pass.
    private var cursor: Int64 = 0
    private(set) var due = MonotonicTime(nanoseconds: 0)
    /// What was removed since the last report: by the file of the archive, or under "".
    private var removed: [String: Int] = [:]
    private var nextReport = MonotonicTime(nanoseconds: 0)

    /// Nil if orders are kept for ever.
    init?(_ configuration: OrderStoreConfiguration) {
        guard configuration.retention > .zero else { return nil }
        retention = configuration.retention.milliseconds
        keyRetention = max(0, configuration.keyRetention.milliseconds)
        archive = configuration.archiveFolder.map {
            OrderArchive(folder: $0, vfs: configuration.vfs)
        }
    }

    /// Removes orders, at most `ordersPerStep`.
    ///
    /// - Parameter delete: deletes orders and their expired keys, by sequence number, in one
    ///   transaction that is on disk when it returns.
    /// - Returns: what to report.
    mutating func step(
        in pool: DatabasePool, time: any TimeSource,
        delete: ([Int64]) throws(OrderStoreError) -> Void
    ) -> [OrderStoreEvent] {
        let begin = time.monotonic()
        if cursor == 0 { nextReport = begin + Self.reportInterval }
        do {
            let isLast = try removeNext(in: pool, now: time.wall().milliseconds, delete: delete)
            let end = time.monotonic()
            due = isLast ? end + Self.interval : end + (end - begin) * 9
            if isLast { endPass() }
            return isLast || end >= nextReport ? report(at: end) : []
        } catch {
            due = time.monotonic() + Self.interval
            endPass()
            // The writer has reported it.
            if error is DeletionFailure { return report(at: begin) }
            return report(at: begin) + [.archiveFails(OrderStoreError(error).problem)]
        }
    }

    /// - Returns: whether the pass has ended.
    private mutating func removeNext(
        in pool: DatabasePool, now: Int64, delete: ([Int64]) throws(OrderStoreError) -> Void
    ) throws -> Bool {
        let rows = try pool.writeWithoutTransaction { [keyRetention, cursor] db in
            let statement = try db.cachedStatement(sql: OrderSchema.ordersWithKeys)
            return try Row.fetchAll(
                statement, arguments: [now - keyRetention, cursor, Self.ordersPerStep]
            )
        }
        let times = rows.map { $0[3] as Int64 }
        let old = rows.filter { ($0[3] as Int64) <= now - retention }
        // One that can't be read is kept; the check of the store reports it.
        let expired = old.filter { !($0[4] as Bool) }.compactMap { try? Order(row: $0) }
        if !expired.isEmpty {
            let files = try archive?.store(expired) ?? ["": expired.count]
            do { try delete(expired.map(\.id.sequence)) } catch { throw DeletionFailure() }
            removed.merge(files) { $0 + $1 }
        }
        cursor = rows.last.map { $0[0] } ?? 0
        let isBehindOld = old.isEmpty && times.contains { $0 <= now }
        return rows.count < Self.ordersPerStep || isBehindOld
    }

    /// Ends the pass before its time.
    ///
    /// - Returns: what to report.
    mutating func end(at now: MonotonicTime) -> [OrderStoreEvent] {
        endPass()
        return report(at: now)
    }

    private mutating func endPass() {
        cursor = 0
        archive?.close()
    }

    private mutating func report(at now: MonotonicTime) -> [OrderStoreEvent] {
        defer { removed = [:] }
        nextReport = now + Self.reportInterval
        return removed.sorted { $0.key < $1.key }.map { file, count in
            file.isEmpty ? .ordersDeleted(count) : .ordersArchived(count, file: file)
        }
    }
}
