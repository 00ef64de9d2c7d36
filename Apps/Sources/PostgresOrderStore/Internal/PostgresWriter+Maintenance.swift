import OrderStoring
import Postgres
import RocketSystem

// What the writer does beside orders: it tries to write in an outage, and deletes expired keys.

extension PostgresWriter {
    private static let keysPerSweep: Int64 = 1000
    private static let sweepInterval = Duration.seconds(60)

    /// Whether it is time to delete expired keys.
    var isSweepDue: Bool {
        configuration.keyRetention > .zero && time.monotonic() >= nextSweep
    }

    /// In an outage tries to write; deletes expired keys if it is time.
    ///
    /// - Returns: whether a transaction was sent.
    func maintain() -> Bool {
        let isSweep = isSweepDue
        if !isSweep, !counters.isFailing { return false }
        maintenanceBegan = time.monotonic()
        phase = .maintaining
        number += 1
        var parameters = PostgresParameters()
        parameters.append(server)
        parameters.append(number)
        session?.execute(PostgresSchema.lock, PostgresParameters(), tag: Tag.lock)
        session?.execute(PostgresSchema.probe, parameters, tag: Tag.other)
        if isSweep {
            session?.execute(PostgresSchema.deleteBatches, parameters, tag: Tag.deleteBatches)
            var parameters = PostgresParameters()
            parameters.append(
                time.wall().milliseconds - configuration.keyRetention.milliseconds)
            parameters.append(Self.keysPerSweep)
            session?.execute(PostgresSchema.deleteKeys, parameters, tag: Tag.deleteKeys)
        }
        session?.sync()
        return true
    }

    /// The transaction of `maintain` has ended.
    func maintained(_ results: [PostgresResult], _ error: PostgresError?) {
        let now = time.monotonic()
        // Orders come before the next one, however long this one has waited.
        isMaintenanceDue = false
        if let error {
            hasMoreKeys = false
            nextSweep = now + Self.sweepInterval
            return counters.failed(OrderStoreError(error), orders: 0, at: now)
        }
        if let rows = results.rows(Tag.deleteKeys) {
            hasMoreKeys = rows.integer(0, 0) ?? 0 >= Self.keysPerSweep
            // A tenth of the time, so that new orders don't wait for it.
            nextSweep = now + (hasMoreKeys ? (now - maintenanceBegan) * 9 : Self.sweepInterval)
        }
        counters.committed(orders: 0, repeats: 0, at: now)
    }
}
