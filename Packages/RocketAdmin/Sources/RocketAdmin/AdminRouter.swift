import RocketBase
import RocketRPC
import RocketSystem

/// Answers requests: by their path, with what the snapshot says. Any thread.
final class AdminRouter: Sendable {
    private let source: AdminSource
    private let cache: SnapshotCache
    private let policy: RequestPolicy
    private let logger: RocketLogger
    private let facts: ProgramFacts
    private let time: any TimeSource
    /// The last change of each level of the log.
    private let changes = Locked<[LogStream: LevelChange]>([:])
    private let recordings: CallRecordings

    /// How long the numbers may take: a loop that is blocked answers no sooner.
    static let patience = Duration.seconds(3)

    init(
        _ source: AdminSource, cache: SnapshotCache, policy: RequestPolicy,
        recordings: CallRecordings, logger: RocketLogger,
        time: any TimeSource = SystemTimeSource()
    ) {
        self.time = time
        self.source = source
        self.cache = cache
        self.policy = policy
        self.recordings = recordings
        self.logger = logger
        facts = ProgramFacts(
            name: source.name, version: source.version, processID: CurrentProcess.processID)
    }

    /// Ends what runs for somebody who asks.
    func stop() { recordings.stop() }

    /// Once a second: takes a sample for the rates, without waiting for it, and ends a recording that
    /// nobody asks for.
    func tick() {
        recordings.expire()
        let cache = cache
        Task { _ = await cache.numbers() }
    }

    /// Answers now, or, if it needs the loops' numbers, once they are there.
    func answer(_ exchange: HTTPExchange) {
        guard let request = exchange.request else {
            return exchange.answer(
                .text("The path of the request can't be read: check its escapes.", status: 400))
        }
        switch route(request) {
        case .done(let response): exchange.answer(response)
        case .numbers(let make):
            Task { [self] in exchange.answer(await response(make)) }
        case .work(let make): Task { exchange.answer(make()) }
        }
    }

    /// What a request leads to.
    enum Route {
        case done(HTTPResponse)
        /// Needs the numbers.
        case numbers(@Sendable (AdminView) -> HTTPResponse)
        /// Takes too long for the page's thread.
        case work(@Sendable () -> HTTPResponse)
    }

    private func response(_ make: @Sendable (AdminView) -> HTTPResponse) async -> HTTPResponse {
        guard let numbers = await cache.numbers(within: Self.patience) else {
            return .text(
                "The loops have not answered for \(Quantity.duration(Self.patience)): a handler or "
                    + "callback blocks one of them. The log names callbacks that block for longer than "
                    + "server/slow_callback_ms.", status: 503)
        }
        return make(view(numbers))
    }

    private func view(_ numbers: SnapshotCache.Numbers) -> AdminView {
        var view = AdminView(program: facts, server: numbers.server)
        // That of now, as /readyz answers it; the numbers may be a second old.
        view.server.state = source.state()
        view.channels = numbers.channels
        view.process = numbers.process
        view.history = numbers.history
        view.configuration = source.configuration()
        if let logs = source.logs {
            view.log = LogFigures(logs)
            view.log.changes = changes.withLock { $0 }
        }
        view.application = source.metrics?.contents
        view.traces = source.traces?()
        view.isWritable = policy.isWritable
        return view
    }

    func route(_ request: HTTPRequest) -> Route {
        do throws(RequestPolicy.Refusal) {
            try policy.checkHost(of: request)
            return try allowed(request)
        } catch { return .done(error.response) }
    }

    private func allowed(_ request: HTTPRequest) throws(RequestPolicy.Refusal) -> Route {
        let path = request.target.path
        if path == "/log", request.method == "POST" {
            try policy.checkChange(by: request)
            return .done(try changeLevel(by: request))
        }
        if path == "/record", request.method == "POST" { return try record(by: request) }
        guard let route = reading(path, request) else {
            throw RequestPolicy.Refusal(
                404,
                "There is no page \(PrintableText.escaping(path, PrintableText.swiftEscape)). Pages: "
                    + AdminPage.allCases.map(\.path).joined(separator: " ")
                    + ", each but / also with .json (/overview.json); /metrics, /healthz, /readyz.")
        }
        guard request.isReading else {
            let allowed = path == "/log" ? "GET, HEAD, POST" : "GET, HEAD"
            throw RequestPolicy.Refusal(405, "Use GET.", allowed: allowed)
        }
        return route
    }

    private func reading(_ path: String, _ request: HTTPRequest) -> Route? {
        switch path {
        case "/healthz": return .done(.text("ok"))
        case "/readyz": return .done(Self.readiness(source.state()))
        case "/metrics":
            let format = PrometheusText.Format(accept: request.headers[.accept])
            return .numbers { view in
                var response = HTTPResponse(
                    contentType: format.contentType, body: view.metrics(format))
                response.headers = [("Vary", "Accept")]
                return response
            }
        default: break
        }
        let query = request.target.query
        if path.hasSuffix(".json"), let page = AdminPage(jsonPath: path) {
            return .numbers { .json(page.contents($0, query).json.text) }
        }
        guard let page = AdminPage(path: path) else { return nil }
        return .numbers { view in
            let layout = PageLayout(
                page: page, view: view, contents: page.contents(view, query), target: request.target
            )
            if query["live"] != nil {
                return HTTPResponse(
                    contentType: "text/html; charset=utf-8", body: layout.fragment.text)
            }
            let nonce = Self.nonce()
            var response = HTTPResponse(
                contentType: "text/html; charset=utf-8", body: layout.document(nonce: nonce).text)
            response.headers = [("Content-Security-Policy", PageLayout.policy(nonce: nonce))]
            return response
        }
    }

    /// Whether the server takes calls.
    static func readiness(_ state: RPCServer.State) -> HTTPResponse {
        switch state {
        case .running: .text("ready")
        case .notStarted: .text("not ready: the server does not listen yet", status: 503)
        case .draining: .text("not ready: the server drains", status: 503)
        case .stopped: .text("not ready: the server has ended", status: 503)
        }
    }

    /// Begins, continues or ends a recording.
    private func record(by request: HTTPRequest) throws(RequestPolicy.Refusal) -> Route {
        try policy.checkOrigin(of: request)
        guard let fields = FormFields(String(decoding: request.body, as: UTF8.self)) else {
            throw RequestPolicy.Refusal(
                400, "Send the settings of the recording as a form's fields.")
        }
        return .work { [recordings, peer = request.peer] in
            do throws(RequestPolicy.Refusal) {
                return try recordings.answer(fields, of: peer)
            } catch {
                return error.response
            }
        }
    }

    private func changeLevel(by request: HTTPRequest) throws(RequestPolicy.Refusal) -> HTTPResponse
    {
        let names = LogLevel.allCases.map(\.name).joined(separator: ", ")
        guard let fields = FormFields(String(decoding: request.body, as: UTF8.self)),
            let stream = LogStream.allCases.first(where: { $0.name == fields["stream"] }),
            let level = fields["level"].flatMap(LogLevel.init(name:))
        else {
            throw RequestPolicy.Refusal(
                400,
                "Send stream=rpc or stream=app, and level= one of \(names), as a form's fields.")
        }
        guard let logs = source.logs else {
            throw RequestPolicy.Refusal(409, "The program has no log whose level could be changed.")
        }
        let old = logs.level(of: stream)?.name ?? "off"
        logs.setLevel(level, of: stream)
        changes.withLock { $0[stream] = LevelChange(level: level, time: time.wall()) }
        logger.warn("log level changed on the admin page") {
            $0.add("stream", stream.name)
            $0.add("old", old)
            $0.add("new", level.name)
        }
        var response = HTTPResponse.text("\(stream.name): \(level.name)", status: 303)
        response.headers = [("Location", "/log")]
        return response
    }

    /// 128 random bits.
    private static func nonce() -> String {
        var random = SystemRandomNumberGenerator()
        let digits = { (number: UInt64) in String(number, radix: 36) }
        return digits(random.next()) + digits(random.next())
    }
}

extension RequestPolicy.Refusal {
    var response: HTTPResponse {
        var response = HTTPResponse.text(text, status: status)
        if let allowed { response.headers.append(("Allow", allowed)) }
        return response
    }
}

extension AdminPage {
    /// The page of `/methods.json`.
    init?(jsonPath: String) {
        guard let page = AdminPage.allCases.first(where: { $0.jsonPath == jsonPath }) else {
            return nil
        }
        self = page
    }
}

extension SnapshotCache {
    /// As `numbers`; nil: they have not come within that time.
    func numbers(within limit: Duration) async -> Numbers? {
        let race = Race<Numbers>()
        let numbers = Task { race.end(with: await self.numbers()) }
        let sleep = Task { if (try? await Task.sleep(for: limit)) != nil { race.end(with: nil) } }
        defer {
            sleep.cancel()
            numbers.cancel()
        }
        return await race.winner
    }
}

/// A value that comes, or does not. Any thread.
private final class Race<Value: Sendable>: Sendable {
    private enum State {
        case running(CheckedContinuation<Value?, Never>?)
        case ended(Value?)
    }

    private let state = Locked(State.running(nil))

    /// The first call counts.
    func end(with value: Value?) {
        let waiting: CheckedContinuation<Value?, Never>? = state.withLock { state in
            guard case .running(let waiting) = state else { return nil }
            state = .ended(value)
            return waiting
        }
        waiting?.resume(returning: value)
    }

    /// Waits for it; by one task.
    var winner: Value? {
        get async {
            await withCheckedContinuation { continuation in
                let ended: Value?? = state.withLock { state in
                    if case .ended(let value) = state { return .some(value) }
                    state = .running(continuation)
                    return nil
                }
                if let ended { continuation.resume(returning: ended) }
            }
        }
    }
}
