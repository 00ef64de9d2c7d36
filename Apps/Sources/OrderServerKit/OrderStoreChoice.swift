import OrderStore
import OrderStoring
import Postgres
import PostgresOrderStore
import RocketBase
import RocketProgram
import RocketTCP

/// Which store a configuration chooses. A value.
enum OrderStoreChoice: Hashable {
    /// A file of this machine; the default.
    case file(OrderStoreConfiguration)
    /// A database, which several servers may share.
    case postgres(PostgresOrderStoreConfiguration)

    /// Checks the configuration.
    ///
    /// - Throws: `ProgramFailure` (configuration) for a URL that is none, and for settings of another
    ///   store.
    init(_ config: OrderStoreConfig) throws(ProgramFailure) {
        guard let text = config.url else {
            self = .file(config.store)
            return
        }
        if config.retentionDays != 0, config.archiveFolder != nil {
            throw ProgramFailure(
                "order_store/archive_folder is for a store in a file, and order_store/url is set: "
                    + "without it, retention_days deletes the old orders of the database",
                status: .configuration)
        }
        do throws(PostgresURL.Invalid) {
            let url = try PostgresURL(text)
            if url.isReadOnly {
                throw PostgresURL.Invalid(
                    description: "target_session_attrs is for servers that take no writes")
            }
            var store = PostgresOrderStoreConfiguration(url: url)
            store.maxWaiting = config.maxWaiting
            store.maxBatch = config.maxBatch
            store.maxPageBytes = config.maxPageBytes
            store.keyRetention = config.keyRetention
            store.retention = .seconds(config.retentionDays * 86_400)
            store.outageTimeout = config.outageTimeout
            store.statementTimeout = config.statementTimeout
            self = .postgres(store)
        } catch {
            throw ProgramFailure("order_store/url: \(error)", status: .configuration)
        }
    }

    /// The status with which a server ends that can't open the store. A database may be there later; a
    /// file that can't be read needs an administrator.
    func exitStatus(of error: OrderStoreError) -> ExitStatus {
        if case .postgres = self, case .cannotOpen = error { return .temporaryFailure }
        return error.exitStatus
    }

    /// Opens the store. Pages that it has read and that are not in a connection's output yet count
    /// into the server's budget of bytes, which refuses those beyond half of it.
    func open(
        observe: @escaping OrderStoreObserver, _ budget: ByteBudget
    ) async throws(OrderStoreError) -> any OrderStoring {
        switch self {
        case .file(let configuration):
            return try OrderStore(
                configuration.limited(by: budget), observe: observe,
                recordBytes: { budget.record($0) })
        case .postgres(var configuration):
            configuration.maxPageBytes = min(
                configuration.maxPageBytes, budget.recordLimitBytes)
            return try await PostgresOrderStore.open(
                configuration, observe: observe, recordBytes: { budget.record($0) })
        }
    }
}
