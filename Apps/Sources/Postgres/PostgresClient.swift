import RocketReactor
import RocketSystem

/// A statement with its parameters. A value.
public struct PostgresStatement: Sendable {
    /// One statement, with $1, $2, … for the parameters.
    public let sql: String
    /// The parameters.
    public let parameters: PostgresParameters

    /// A statement.
    public init(_ sql: String, _ parameters: PostgresParameters = PostgresParameters()) {
        self.sql = sql
        self.parameters = parameters
    }
}

/// A connection on a thread of its own, whose transactions are awaited. It is not opened again when
/// it is lost: all transactions that have not ended fail then, and all later ones. Any thread or
/// task.
public final class PostgresClient: Sendable {
    private let thread: IOThread
    private let core: LoopBound<Core>

    private init(
        _ url: PostgresURL, host: Int, _ limits: PostgresLimits, _ opened: PostgresReply<Void>
    ) async throws(PostgresError) {
        do throws(SystemError) { thread = try IOThread(name: "postgres") } catch {
            throw PostgresError(message: error.description)
        }
        let loop = thread.loop
        core = await withCheckedContinuation { caller in
            loop.execute { reactor in
                let core = Core { opened.end($0) }
                caller.resume(returning: LoopBound(core, on: reactor))
                core.start(url, host: host, limits, on: reactor)
            }
        }
    }

    /// Connects to the first host of the URL that takes writes, unless the URL says otherwise. All
    /// hosts have the same part of `PostgresLimits.connect`.
    ///
    /// - Throws: `PostgresError`: that of the last host.
    public static func open(
        _ url: PostgresURL, _ limits: PostgresLimits
    ) async throws(PostgresError) -> PostgresClient {
        var part = limits
        part.connect = limits.connect / url.hostCount
        for host in 0..<(url.hostCount - 1) {
            if let client = try? await open(url, host: host, part) { return client }
        }
        return try await open(url, host: url.hostCount - 1, part)
    }

    private static func open(
        _ url: PostgresURL, host: Int, _ limits: PostgresLimits
    ) async throws(PostgresError) -> PostgresClient {
        let opened = PostgresReply<Void>()
        let client = try await PostgresClient(url, host: host, limits, opened)
        do throws(PostgresError) { try await opened.value() } catch {
            await client.close()
            throw error
        }
        return client
    }

    /// Sends statements, which are one transaction, behind those that were sent before. Does not wait.
    ///
    /// - Parameter read: makes the value of the rows of each statement, on the client's thread.
    /// - Returns: what the value will be in.
    public func send<Value: Sendable>(
        _ statements: [PostgresStatement],
        _ read: @escaping @Sendable ([PostgresRows]) -> Value
    ) -> PostgresReply<Value> {
        let reply = PostgresReply<Value>()
        let isAccepted = thread.loop.execute { [core] _ in
            core.get().send(statements) { reply.end($0.map(read)) }
        }
        if !isAccepted { reply.end(.failure(Core.closed)) }
        return reply
    }

    /// Executes statements, which are one transaction.
    ///
    /// - Throws: `PostgresError`: that of the first statement that failed; without a `state` if the
    ///   connection was lost, after which the transaction may have been committed.
    public func execute<Value: Sendable>(
        _ statements: [PostgresStatement],
        _ read: @escaping @Sendable ([PostgresRows]) -> Value
    ) async throws(PostgresError) -> Value { try await send(statements, read).value() }

    /// Closes the connection and ends the thread. Once, after the last use.
    public func close() async {
        let closed = AsyncEvent()
        let isAccepted = thread.loop.execute { [core] _ in
            core.get().close()
            closed.fire()
        }
        if isAccepted { await closed.wait() }
        thread.stop()
        await thread.ended()
    }
}

/// What a transaction will return. Any thread or task.
public final class PostgresReply<Value: Sendable>: Sendable {
    private let result = Locked<Result<Value, PostgresError>?>(nil)
    private let ended = AsyncEvent()

    fileprivate init() {}

    fileprivate func end(_ result: Result<Value, PostgresError>) {
        self.result.withLock { $0 = result }
        ended.fire()
    }

    /// Waits for the end of the transaction.
    ///
    /// - Throws: as `PostgresClient.execute`.
    public func value() async throws(PostgresError) -> Value {
        await ended.wait()
        guard let result = result.withLock({ $0 }) else { throw PostgresClient.Core.closed }
        return try result.get()
    }
}

extension PostgresClient {
    /// The client on its loop.
    fileprivate final class Core: PostgresConnectionOwner {
        static let closed = PostgresError(message: "the connection is closed")

        typealias Completion = (Result<[PostgresRows], PostgresError>) -> Void

        private var connection: PostgresConnection?
        private var opened: ((Result<Void, PostgresError>) -> Void)?
        private var waiting: [Completion] = []
        private var error = Core.closed

        init(_ opened: @escaping (Result<Void, PostgresError>) -> Void) { self.opened = opened }

        func start(_ url: PostgresURL, host: Int, _ limits: PostgresLimits, on reactor: Reactor) {
            let connection = PostgresConnection(
                url, host: host, limits, on: reactor, owner: self)
            self.connection = connection
            connection.start()
        }

        func send(_ statements: [PostgresStatement], _ completion: @escaping Completion) {
            guard let connection, connection.isOpen else { return completion(.failure(error)) }
            waiting.append(completion)
            for (index, statement) in statements.enumerated() {
                connection.execute(sql: statement.sql, statement.parameters, tag: index)
            }
            connection.sync()
        }

        func close() {
            connection.take()?.close()
            fail(Core.closed)
        }

        func opened(_ connection: PostgresConnection) { opened.take()?(.success(())) }

        func ended(_ results: [PostgresResult], of connection: PostgresConnection) {
            guard !waiting.isEmpty else { return }
            let completion = waiting.removeFirst()
            var rows: [PostgresRows] = []
            var first: PostgresError?
            for result in results {
                switch result.rows {
                case .success(let result): rows.append(result)
                case .failure(.failed(let error)): first = first ?? error
                case .failure(.aborted): break
                }
            }
            if first == nil, rows.count < results.count {
                first = PostgresError(message: "a statement has no result")
            }
            completion(first.map { .failure($0) } ?? .success(rows))
        }

        func lost(_ connection: PostgresConnection, _ error: PostgresError, unknown: [Int]) {
            self.connection = nil
            fail(error)
        }

        private func fail(_ error: PostgresError) {
            self.error = error
            opened.take()?(.failure(error))
            let waiting = waiting
            self.waiting = []
            for completion in waiting { completion(.failure(error)) }
        }
    }
}
