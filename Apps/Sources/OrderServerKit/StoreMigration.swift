import FoundationEssentials
import OrderStore
import OrderStoring
import Postgres
import PostgresOrderStore
import RocketBase
import RocketProgram
import RocketSystem

/// What `order_server --migrate FROM TO` does: copies a store in a file into a database, with progress
/// on standard error and the result on standard output.
struct StoreMigration {
    /// The file.
    let source: String
    /// The URL of the database.
    let target: String
    /// Whether the result is JSON.
    let isJSON: Bool

    func run(
        progress: ProgressLines = ProgressLines("migrate"),
        time: any TimeSource = SystemTimeSource()
    ) async throws(ProgramFailure) {
        let url: PostgresURL
        do throws(PostgresURL.Invalid) { url = try PostgresURL(target) } catch {
            throw ProgramFailure("--migrate FROM TO: TO: \(error)", status: .usage)
        }
        let begin = time.monotonic()
        do throws(OrderStoreError) {
            let export = try OrderStoreExport(fileAt: source)
            let report = try await PostgresOrderStore.migrate(export, to: url) {
                progress.report($0)
            }
            write(MigrationResult(export, url, report, within: time.monotonic() - begin))
        } catch {
            throw Self.failure(error)
        }
    }

    /// What can be repeated says so.
    private static func failure(_ error: OrderStoreError) -> ProgramFailure {
        switch error {
        case .unavailable, .diskFull, .failed:
            ProgramFailure(
                "the migration has stopped: \(error.problem); repeat the command, it goes on where "
                    + "it was", status: error.exitStatus)
        default: ProgramFailure(error.description, status: error.exitStatus)
        }
    }

    private func write(_ result: MigrationResult) {
        StandardOutput.write(line: isJSON ? MaintenanceJSON.text(result) : result.text)
    }
}

/// The result, for scripts as JSON.
private struct MigrationResult: Encodable {
    let action = "migrate"
    let file: String
    let url: String
    let orders: Int64
    let keys: Int64
    let newest: String?
    let copied: Int64
    let ordersChecksum: String?
    let keysChecksum: String?
    let endedBefore: String?
    let seconds: Double

    private enum CodingKeys: String, CodingKey {
        case action, file, url, orders, newest, copied, seconds
        case keys = "idempotency_keys"
        case ordersChecksum = "orders_checksum"
        case keysChecksum = "keys_checksum"
        case endedBefore = "ended_before"
    }

    init(
        _ source: OrderStoreExport, _ url: PostgresURL, _ report: OrderMigrationReport,
        within time: Duration
    ) {
        file = source.path
        self.url = url.description
        orders = report.orders
        keys = report.keys
        newest = source.newest?.description
        copied = report.copied
        ordersChecksum = report.checksums?.orders
        keysChecksum = report.checksums?.keys
        endedBefore = report.endedBefore
        seconds = Double(time.milliseconds) / 1000
    }

    var text: String {
        let last = newest.map { ", the newest is \($0)" } ?? ""
        let contents = "\(orders) orders\(last), \(keys) idempotency keys"
        if let endedBefore {
            return "the migration of \(file) to \(url) has ended at \(endedBefore) already, with "
                + "\(contents): nothing was done"
        }
        return "migrated \(file) to \(url): \(contents), equal in both (checksums "
            + "\(ordersChecksum ?? "") and \(keysChecksum ?? "")); \(copied) orders copied in "
            + "\(seconds) s"
    }
}
