import CPostgres
public import RocketReactor
public import RocketSystem

/// What happens to a connection, on its loop. Not within a call of the owner.
public protocol PostgresConnectionOwner: AnyObject {
    /// The connection can be used.
    func opened(_ connection: PostgresConnection)
    /// The statements up to a sync have ended, in the order in which they were sent.
    func ended(_ results: [PostgresResult], of connection: PostgresConnection)
    /// The connection is lost, or could not be opened; it has ended.
    ///
    /// - Parameter unknown: the statements whose outcome is unknown: it may be that of a commit.
    func lost(_ connection: PostgresConnection, _ error: PostgresError, unknown: [Int])
}

/// What became of a statement.
public struct PostgresResult {
    /// The number that it was sent with.
    public let tag: Int
    /// Its rows. A failure: its error; nil: its transaction was rolled back because another statement
    /// has failed.
    public let rows: Result<PostgresRows, Failure>

    /// Why a statement was not executed.
    public enum Failure: Error { case failed(PostgresError), aborted }
}

/// A connection to PostgreSQL in libpq's pipeline mode. Bound to its loop.
///
/// Statements are sent without waiting for results; `sync` ends a transaction. It reads while it
/// writes, so that neither side waits for the other one for ever. libpq looks up names and reads
/// its files where `start` is called and while it connects: give it a loop of its own.
///
/// Unlike libpq, it goes without GSSAPI's encryption, and notices within seconds that a server has
/// vanished (keep-alives, `tcp_user_timeout`), unless the URL says otherwise.
@safe public final class PostgresConnection: IOHandler {
    private enum Phase { case idle, connecting, open, ended }

    private let url: PostgresURL
    private let host: Int
    private let reactor: Reactor
    private let limits: PostgresLimits
    private weak var owner: (any PostgresConnectionOwner)?
    // SAFETY: libpq's connection, used on the loop only, and freed once, in `end`.
    private var connection: OpaquePointer?
    private var registration: Registration?
    private var timer: ScheduledTimer?
    private var phase = Phase.idle
    private var state = PipelineState()
    /// Rows and errors of statements whose transactions have not ended.
    private var received: [Int: Result<PostgresRows, PostgresError>] = [:]
    private var commitError: PostgresError?
    /// When the server has answered last, or was asked.
    private var lastAnswer: MonotonicTime
    // SAFETY: of this object, freed in `deinit`, after `connection`, whose receiver of notices writes it.
    private let isUnreplicated: UnsafeMutablePointer<Bool>

    /// A connection that is not open.
    ///
    /// - Parameters:
    ///   - host: the number of the URL's host, below `PostgresURL.hostCount`. libpq does not go on to
    ///     the next host while one does not answer at all, so the caller does.
    ///   - owner: not retained.
    public init(
        _ url: PostgresURL, host: Int, _ limits: PostgresLimits, on reactor: Reactor,
        owner: any PostgresConnectionOwner
    ) {
        unsafe isUnreplicated = .allocate(capacity: 1)
        unsafe isUnreplicated.initialize(to: false)
        lastAnswer = reactor.now
        self.url = url
        self.host = host
        self.limits = limits
        self.reactor = reactor
        self.owner = owner
    }

    deinit {
        end()
        unsafe isUnreplicated.deallocate()
    }

    /// Whether an answer is to come.
    public var isWaiting: Bool { state.isWaiting }

    /// Whether statements can be sent.
    public var isOpen: Bool { phase == .open }

    /// Begins to connect. Once. The owner is called later.
    public func start() {
        precondition(phase == .idle, "a connection is started once")
        phase = .connecting
        let limit = url.connectTimeout ?? limits.connect
        timer = reactor.schedule(after: limit, label: "postgres") { [weak self] _ in
            guard let self else { return }
            let name = url.name(ofHost: host)
            lose(PostgresError(message: "no connection to \(name) in time"))
        }
        typealias Option = PostgresURL.Option
        let options = [
            Option("dbname", url.text), Option("client_encoding", "UTF8"),
            Option("fallback_application_name", limits.applicationName),
        ]
        unsafe connection = Self.start(
            Self.defaults(limits) + options + url.hosts[host].options)
        // Before it has any: libpq prints them.
        unsafe PQsetNoticeReceiver(connection, Self.observeNotice, isUnreplicated)
        // Not within the caller's function.
        reactor.loop.execute { [box = LoopBound(Weak(self), on: reactor)] _ in
            box.get().connection?.poll(isFirst: true)
        }
    }

    private func poll(isFirst: Bool = false) {
        guard phase == .connecting else { return }
        guard let connection = unsafe connection, unsafe PQstatus(connection) != CONNECTION_BAD
        else { return lose(lastError()) }
        // libpq closes the socket and opens another one for another host, or without TLS.
        registration.take()?.cancel()
        let status = unsafe isFirst ? PGRES_POLLING_WRITING : PQconnectPoll(connection)
        switch status {
        case PGRES_POLLING_READING: watch(.read)
        case PGRES_POLLING_WRITING: watch(.write)
        case PGRES_POLLING_OK:
            timer.take()?.cancel()
            guard unsafe PQsetnonblocking(connection, 1) == 0,
                unsafe PQenterPipelineMode(connection) == 1
            else { return lose(lastError()) }
            phase = .open
            watch(.read)
            if phase == .open { owner?.opened(self) }
        default: lose(lastError())
        }
    }

    private func watch(_ interest: IOInterest) {
        guard let connection = unsafe connection else { return }
        let descriptor = unsafe PQsocket(connection)
        guard descriptor >= 0 else { return lose(lastError()) }
        // libpq owns the descriptor.
        let borrowed = FileDescriptor(owning: descriptor)
        do throws(SystemError) {
            registration = try reactor.register(
                borrowed, interest: interest, label: "postgres", handler: self)
            _ = borrowed.release()
        } catch {
            _ = borrowed.release()
            lose(PostgresError(message: error.description))
        }
    }

    // MARK: Statements

    /// Prepares a statement.
    public func prepare(_ name: String, _ sql: String, tag: Int) {
        unsafe send(tag) { connection in unsafe PQsendPrepare(connection, name, sql, 0, nil) }
    }

    /// Executes a statement that was not prepared.
    public func execute(sql: String, _ parameters: PostgresParameters, tag: Int) {
        unsafe send(tag) { connection in
            unsafe parameters.withPointers { count, values, lengths, formats in
                unsafe PQsendQueryParams(
                    connection, sql, count, nil, values, lengths, formats, 1)
            }
        }
    }

    /// Executes a prepared statement.
    public func execute(_ name: String, _ parameters: PostgresParameters, tag: Int) {
        unsafe send(tag) { connection in
            unsafe parameters.withPointers { count, values, lengths, formats in
                unsafe PQsendQueryPrepared(
                    connection, name, count, values, lengths, formats, 1)
            }
        }
    }

    private func send(_ tag: Int, _ body: (OpaquePointer) -> Int32) {
        guard phase == .open, let connection = unsafe connection else { return }
        // Before: what can't be sent is lost with the connection.
        state.sent(tag)
        if unsafe body(connection) == 0 { loseLater(lastError()) }
    }

    /// Lets the server send the results of the statements so far before it has the others: it has a
    /// limit for each statement, and is silent for no longer then.
    public func requestResults() {
        guard phase == .open, let connection = unsafe connection else { return }
        if unsafe PQsendFlushRequest(connection) == 0 { loseLater(lastError()) }
    }

    /// Ends the transaction of the statements that were sent since the last one, and writes them.
    public func sync() {
        guard phase == .open, let connection = unsafe connection else { return }
        state.sentSync()
        guard unsafe PQpipelineSync(connection) == 1 else { return loseLater(lastError()) }
        if timer == nil {
            lastAnswer = reactor.now
            startTimer(limits.answer)
        }
        flush()
    }

    private func flush() {
        guard phase == .open, let connection = unsafe connection else { return }
        let rest = unsafe PQflush(connection)
        if rest < 0 { return loseLater(lastError()) }
        registration?.setInterest(rest == 0 ? .read : [.read, .write])
    }

    /// Time without any answer, after which the connection counts as lost. Results of a long pipeline
    /// are answers, before its end.
    private func startTimer(_ time: Duration) {
        timer = reactor.schedule(after: time, label: "postgres") { [weak self] _ in
            guard let self else { return }
            timer = nil
            let rest = limits.answer - (reactor.now - lastAnswer)
            if rest > .zero { return startTimer(rest) }
            lose(PostgresError(message: "no answer in time"))
        }
    }

    // MARK: Events

    /// libpq reads and writes.
    public func ready(_ events: IOEvents, on reactor: Reactor) {
        if phase == .connecting { return poll() }
        guard phase == .open, let connection = unsafe connection else { return }
        // Always reads: a server whose output is full reads nothing.
        // No event tells of what OpenSSL has: libpq may have less room than a record.
        repeat {
            guard unsafe PQconsumeInput(connection) == 1 else {
                readResults()
                return lose(lastError())
            }
        } while unsafe rocket_postgres_pending(connection) > 0
        flush()
        readResults()
    }

    /// Nothing can be watched: it counts as lost.
    public func registrationFailed(_ error: SystemError, on reactor: Reactor) {
        registration = nil
        lose(PostgresError(message: error.description))
    }

    private func readResults() {
        var ends = 0
        while phase == .open, let connection = unsafe connection, state.isWaiting, ends < 2,
            unsafe PQisBusy(connection) == 0
        {
            let event: PipelineState.Event?
            if let result = unsafe PQgetResult(connection) {
                ends = 0
                event = unsafe record(result)
            } else {
                ends += 1
                event = .end
            }
            lastAnswer = reactor.now
            if event == .sync, unsafe isUnreplicated.pointee {
                return lose(
                    PostgresError(message: "waiting for the standbys was cancelled at the server"))
            }
            switch event.map({ state.received($0) }) ?? .unexpected {
            case .none: break
            case .unexpected:
                return lose(PostgresError(message: "the server has sent an unexpected result"))
            case .ended(let statements):
                if !state.isWaiting { timer.take()?.cancel() }
                let results = statements.map(result)
                commitError = nil
                owner?.ended(results, of: self)
            }
        }
    }

    /// Keeps rows or the error of the first statement that waits.
    ///
    /// - Returns: nil for what does not belong into a pipeline, such as a COPY.
    private func record(_ result: OpaquePointer) -> PipelineState.Event? {
        let status = unsafe PQresultStatus(result)
        switch status {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
            let rows = unsafe PostgresRows(owning: result)
            if let tag = state.first, received[tag] == nil { received[tag] = .success(rows) }
            return .succeeded
        case PGRES_PIPELINE_SYNC:
            unsafe PQclear(result)
            return .sync
        case PGRES_PIPELINE_ABORTED:
            unsafe PQclear(result)
            return .aborted
        case PGRES_FATAL_ERROR:
            func field(_ code: Character) -> String? {
                unsafe PQresultErrorField(result, Int32(code.asciiValue ?? 0))
                    .map { unsafe String(cString: $0) }
            }
            let error = PostgresError(
                state: field("C") ?? "", message: PostgresError.oneLine(field("M") ?? "no text"),
                routine: field("R") ?? "")
            unsafe PQclear(result)
            if let tag = state.first {
                received[tag] = .failure(error)
            } else {
                commitError = error
            }
            return .failed
        default:
            unsafe PQclear(result)
            return nil
        }
    }

    private func result(_ ended: PipelineState.Ended) -> PostgresResult {
        let found = received.removeValue(forKey: ended.tag)
        switch (ended.outcome, found) {
        case (.succeeded, .success(let rows)?):
            return PostgresResult(tag: ended.tag, rows: .success(rows))
        case (.failed, .failure(let error)?):
            return PostgresResult(tag: ended.tag, rows: .failure(.failed(error)))
        case (.failed, _):
            let error = commitError ?? PostgresError(message: "the commit has failed")
            return PostgresResult(tag: ended.tag, rows: .failure(.failed(error)))
        default: return PostgresResult(tag: ended.tag, rows: .failure(.aborted))
        }
    }

    // MARK: The end

    /// Ends the connection; the owner is not called any more.
    public func close() {
        owner = nil
        end()
    }

    private func loseLater(_ error: PostgresError) {
        reactor.loop.execute { [box = LoopBound(Weak(self), on: reactor)] _ in
            box.get().connection?.lose(error)
        }
    }

    private func lose(_ error: PostgresError) {
        guard phase != .ended else { return }
        end()
        received = [:]
        owner?.lost(self, error, unknown: state.lose())
    }

    private func end() {
        phase = .ended
        timer.take()?.cancel()
        // Before libpq closes the socket.
        registration.take()?.cancel()
        unsafe PQfinish(connection)
        unsafe connection = nil
    }

    private func lastError() -> PostgresError {
        guard let connection = unsafe connection else { return PostgresError(message: "no memory") }
        let text = unsafe PQerrorMessage(connection).map { unsafe String(cString: $0) } ?? ""
        return PostgresError(
            message: text.isEmpty ? "the connection is lost" : PostgresError.oneLine(text))
    }

    private struct Weak {
        weak var connection: PostgresConnection?
        init(_ connection: PostgresConnection) { self.connection = connection }
    }
}
