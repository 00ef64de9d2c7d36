import OrderStoring
import Postgres
import RocketReactor
import RocketTCP

/// What happens to a session, on its loop.
protocol PostgresSessionOwner: AnyObject {
    /// Statements can be executed.
    func ready(_ session: PostgresSession)
    /// The statements up to a sync have ended.
    func ended(_ results: [PostgresResult], of session: PostgresSession)
    /// The session is lost, or could not be opened; it tries again.
    ///
    /// - Parameter unknown: the statements whose outcome is unknown.
    func lost(_ session: PostgresSession, _ error: PostgresError, unknown: [Int])
}

/// A connection that is opened again when it is lost, with its settings and prepared statements.
/// Bound to its loop.
final class PostgresSession: PostgresConnectionOwner {
    private let configuration: PostgresOrderStoreConfiguration
    private let reactor: Reactor
    /// Statements before the others, without parameters.
    private let migrates: Bool
    private let statements: [PostgresSchema.Statement]
    private weak var owner: (any PostgresSessionOwner)?
    private var connection: PostgresConnection?
    private var backOff = BackOff(first: .milliseconds(50), most: .seconds(2))
    private var timer: ScheduledTimer?
    private(set) var isReady = false

    /// - Parameter migrates: whether it creates and migrates the tables.
    init(
        _ configuration: PostgresOrderStoreConfiguration, migrates: Bool,
        _ statements: [PostgresSchema.Statement], on reactor: Reactor,
        owner: any PostgresSessionOwner
    ) {
        self.configuration = configuration
        self.migrates = migrates
        self.statements = statements
        self.reactor = reactor
        self.owner = owner
    }

    /// Connects, until `close`.
    func start() {
        var limits = PostgresLimits()
        limits.connect = configuration.connectTimeout
        limits.answer = configuration.statementTimeout * 2
        limits.applicationName = "order_server"
        let connection = PostgresConnection(configuration.url, limits, on: reactor, owner: self)
        self.connection = connection
        connection.start()
    }

    func execute(
        _ statement: PostgresSchema.Statement, _ parameters: PostgresParameters, tag: Int
    ) { connection?.execute(statement.name, parameters, tag: tag) }

    func sync() { connection?.sync() }

    func close() {
        isReady = false
        timer.take()?.cancel()
        connection.take()?.close()
    }

    /// Gives the connection up: the database has become read-only, so that another host has to be
    /// found.
    func reconnect(_ error: PostgresError) {
        connection.take()?.close()
        lost(error, unknown: [])
    }

    func opened(_ connection: PostgresConnection) {
        var parameters = PostgresParameters()
        let timeout = configuration.statementTimeout.milliseconds
        parameters.append("\(timeout)")
        // Shorter, so that the reason is clear.
        parameters.append("\(max(1, timeout * 3 / 4))")
        connection.execute(sql: PostgresSchema.settings, parameters, tag: -1)
        if migrates {
            connection.execute(sql: PostgresSchema.migrate, PostgresParameters(), tag: -2)
        }
        connection.sync()
        for (index, statement) in statements.enumerated() {
            connection.prepare(statement.name, statement.sql, tag: -3 - index)
        }
        connection.sync()
    }

    func ended(_ results: [PostgresResult], of connection: PostgresConnection) {
        guard connection === self.connection else { return }
        if isReady {
            owner?.ended(results, of: self)
            return
        }
        for result in results {
            guard case .failure(let failure) = result.rows else { continue }
            guard case .failed(let error) = failure else { continue }
            connection.close()
            self.connection = nil
            return lost(error, unknown: [])
        }
        if connection.isWaiting { return }
        isReady = true
        backOff.succeeded()
        owner?.ready(self)
    }

    func lost(_ connection: PostgresConnection, _ error: PostgresError, unknown: [Int]) {
        guard connection === self.connection else { return }
        self.connection = nil
        lost(error, unknown: isReady ? unknown : [])
    }

    private func lost(_ error: PostgresError, unknown: [Int]) {
        isReady = false
        var random = reactor.random
        timer = reactor.schedule(after: backOff.next(using: &random), label: "postgres") {
            [weak self] _ in self?.start()
        }
        owner?.lost(self, error, unknown: unknown)
    }
}
