import OrderStoring
import Postgres
import RocketReactor
import RocketTCP

/// What happens to a session, on its loop.
protocol PostgresSessionOwner: AnyObject {
    /// Statements can be executed.
    func ready(_ session: PostgresSession)
    /// Statements can be executed again, on the same connection, after `prepareAgain`.
    func preparedAgain(_ session: PostgresSession)
    /// The statements up to a sync have ended.
    func ended(_ results: [PostgresResult], of session: PostgresSession)
    /// The session is lost, or could not be opened; it tries again.
    ///
    /// - Parameter unknown: the statements whose outcome is unknown.
    func lost(_ session: PostgresSession, _ error: PostgresError, unknown: [Int])
}

/// A connection that is opened again when it is lost, with its settings and prepared statements.
/// Bound to its loop.
///
/// It connects to one host of the URL at a time. One that chooses the host goes on to the next one
/// when it is lost or can't connect: after a silence there is no other sign that another host takes
/// writes now.
final class PostgresSession: PostgresConnectionOwner {
    private let configuration: PostgresOrderStoreConfiguration
    private let reactor: Reactor
    /// Whether it is that of the writer: it chooses the host, and creates and migrates the tables.
    private let isWriter: Bool
    private let statements: [PostgresSchema.Statement]
    private weak var owner: (any PostgresSessionOwner)?
    private var connection: PostgresConnection?
    private var backOff = BackOff(first: .milliseconds(50), most: .seconds(2))
    private var timer: ScheduledTimer?
    private(set) var isReady = false
    /// How often the statements were prepared on the connection.
    private enum Preparation {
        /// Once, or each time that was necessary has helped.
        case once
        /// They are being prepared again.
        case begun
        /// Again, and nothing has been executed since.
        case again
    }
    private var preparation = Preparation.once
    /// The number of the host that it is, or will be, connected to.
    private(set) var host: Int
    /// Hosts that were tried since it was ready, and why they failed.
    private var tried = 0
    private var failures: [Int: PostgresError] = [:]

    /// - Parameter host: the number of the first host.
    init(
        _ configuration: PostgresOrderStoreConfiguration, host: Int = 0, isWriter: Bool,
        _ statements: [PostgresSchema.Statement], on reactor: Reactor,
        owner: any PostgresSessionOwner
    ) {
        self.configuration = configuration
        self.host = host
        self.isWriter = isWriter
        self.statements = statements
        self.reactor = reactor
        self.owner = owner
    }

    /// Connects, until `close`.
    func start() {
        var limits = PostgresLimits()
        limits.connect = configuration.connectTimeout / configuration.url.hostCount
        limits.answer = configuration.statementTimeout * 2
        limits.applicationName = "order_server"
        let connection = PostgresConnection(
            configuration.url, host: host, limits, on: reactor, owner: self)
        self.connection = connection
        connection.start()
    }

    func execute(
        _ statement: PostgresSchema.Statement, _ parameters: PostgresParameters, tag: Int
    ) { connection?.execute(statement.name, parameters, tag: tag) }

    func requestResults() { connection?.requestResults() }

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

    /// Connects to this host in place of the one that it has, at once.
    func move(to host: Int) {
        self.host = host
        connection.take()?.close()
        lost(PostgresError(message: "the server has changed"), unknown: [])
        timer.take()?.cancel()
        start()
    }

    func opened(_ connection: PostgresConnection) {
        guard connection === self.connection else { return }
        connection.execute(
            sql: PostgresSchema.settings,
            PostgresSchema.settings(statementTimeout: configuration.statementTimeout), tag: -1)
        if isWriter {
            connection.execute(sql: PostgresSchema.migrate, PostgresParameters(), tag: -2)
            connection.execute(
                sql: MigrationSchema.refuseUnfinished, PostgresParameters(), tag: -3)
        }
        connection.sync()
        preparation = .once
        prepare(on: connection)
    }

    private func prepare(on connection: PostgresConnection) {
        for (index, statement) in statements.enumerated() {
            connection.prepare(statement.name, statement.sql, tag: -4 - index)
        }
        connection.sync()
    }

    /// Prepares the statements anew, on the connection that it has, if `error` says that one does not
    /// exist any more, or has other results. What has failed can be sent again when that has ended.
    ///
    /// - Returns: false for other errors, and for one that comes at the first attempt after this.
    func prepareAgain(after error: PostgresError) -> Bool {
        guard error.isOfPreparedStatement, let connection else { return false }
        if preparation == .again { preparation = .once; return false }
        if preparation == .begun { return true }
        preparation = .begun
        isReady = false
        connection.execute(sql: "DEALLOCATE ALL", PostgresParameters(), tag: -1)
        connection.sync()
        prepare(on: connection)
        return true
    }

    func ended(_ results: [PostgresResult], of connection: PostgresConnection) {
        guard connection === self.connection else { return }
        // Those of statements of its own have negative tags.
        if results.first.map({ $0.tag >= 0 }) ?? isReady {
            let isPrepared = !results.contains { $0.error?.isOfPreparedStatement == true }
            if isReady, isPrepared { preparation = .once }
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
        if preparation == .begun {
            preparation = .again
            owner?.preparedAgain(self)
            return
        }
        tried = 0
        failures = [:]
        backOff.succeeded()
        owner?.ready(self)
    }

    func lost(_ connection: PostgresConnection, _ error: PostgresError, unknown: [Int]) {
        guard connection === self.connection else { return }
        self.connection = nil
        lost(error, unknown: isReady ? unknown : [])
    }

    private func lost(_ error: PostgresError, unknown: [Int]) {
        let wasReady = isReady
        isReady = false
        let hosts = configuration.url.hostCount
        var problem = error
        if isWriter {
            if !wasReady {
                failures[host] = error
                problem = joined(error)
            }
            host = (host + 1) % hosts
        }
        tried += 1
        // One attempt at a time.
        timer.take()?.cancel()
        var random = reactor.random
        // All hosts in turn, and then a wait.
        let isRound = !isWriter || tried % hosts == 0
        timer = reactor.schedule(
            after: isRound ? backOff.next(using: &random) : .zero, label: "postgres"
        ) { [weak self] _ in self?.start() }
        owner?.lost(self, problem, unknown: unknown)
    }

    /// What is wrong with each of the hosts, if there are several.
    private func joined(_ error: PostgresError) -> PostgresError {
        if failures.count < 2 { return error }
        let texts = failures.sorted { $0.key < $1.key }.map(\.value.message)
        return PostgresError(state: error.state, message: texts.joined(separator: "; "))
    }
}
