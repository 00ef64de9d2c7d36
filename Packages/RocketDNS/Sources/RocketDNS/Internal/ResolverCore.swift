import RocketReactor
import RocketSystem

/// The lookups of a resolver and the queries for them. Bound to its loop's thread.
///
/// What c-ares reports is stored, and taken at the end of the tick: c-ares is then never called from
/// inside of itself, and completions may release the resolver.
final class ResolverCore {
    private let reactor: Reactor
    private let configuration: DNSConfiguration
    private var current: AresChannel?
    /// Channels with earlier contents of resolv.conf, which have queries.
    private var retired: [AresChannel] = []

    private var lastNumber: UInt64 = 0
    /// The queries that c-ares has not ended, by their numbers, those of lookups that have ended too.
    private var queries: [UInt64: (lookup: Lookup, type: RecordType)] = [:]
    /// What c-ares has reported since the end of the last tick.
    private var ended: [(number: UInt64, status: Int32, bytes: [UInt8])] = []
    private var live = OrderedObjects<Lookup>()
    /// Lookups that wait for their turn, and those among them that have ended meanwhile.
    private var waiting = RingBuffer<Lookup>()
    /// The number of those that have not ended.
    private var waitingCount = 0
    private var finished: [Lookup] = []

    private var expiry: ScheduledTimer?
    private var isObservingTickEnd = false
    private var isShutDown = false

    private var settingsStamp: FileStamp
    private var hosts = HostsFile([])
    private var hostsStamp: FileStamp?
    private var filesChecked: MonotonicTime?

    init(_ configuration: DNSConfiguration, on reactor: Reactor) throws(DNSSetupError) {
        self.configuration = configuration
        self.reactor = reactor
        settingsStamp = FileStamp(of: configuration.resolvConf)
        current = try makeChannel()
    }

    private func makeChannel() throws(DNSSetupError) -> AresChannel {
        try AresChannel(configuration, on: reactor) { [weak self] in self?.ended($0, $1, $2) }
    }

    var servers: [SocketAddress] { current?.servers ?? [] }
    var pendingLookups: Int { live.count }

    // MARK: Begin

    func request(for lookup: Lookup) -> DNSRequest {
        DNSRequest { [weak self, weak lookup] in
            guard let self, let lookup else { return }
            self.cancel(lookup)
        }
    }

    private func cancel(_ lookup: Lookup) {
        let outcome = Lookup.Outcome.failure(DNSError(.cancelled, name: lookup.name))
        finish(lookup, outcome)
        // Also in place of a result that has not been delivered.
        lookup.outcome = outcome
    }

    func begin(_ lookup: Lookup, isRelative: Bool) {
        if isShutDown { return fail(lookup, .shutDown) }
        guard HostName.isValid(lookup.name), !lookup.types.isEmpty else {
            return fail(lookup, .invalidName)
        }
        if HostName.isOnion(lookup.name) { return fail(lookup, .unknownName) }
        if isFull, waitingCount >= configuration.waitingLookups {
            return fail(lookup, .overloaded)
        }
        lookup.isRelative = isRelative
        live.insert(lookup)
        lookup.timeout = reactor.schedule(
            after: configuration.clampedLookupTimeout, label: "dns lookup"
        ) { [weak self, weak lookup] _ in
            guard let self, let lookup else { return }
            // One that waits for its turn has no state.
            if lookup.state == nil { self.fail(lookup, .timedOut) }
            self.handle(.timedOut, of: lookup)
        }
        if isFull { wait(lookup) } else { start(lookup) }
    }

    private func wait(_ lookup: Lookup) {
        // Lookups that have ended leave the queue in their turn, or when half of it are such.
        if waiting.count > 2 * waitingCount + 16 {
            for _ in 0..<waiting.count {
                if let other = waiting.popFirst(), other.isWaiting { waiting.append(other) }
            }
        }
        lookup.isWaiting = true
        waiting.append(lookup)
        waitingCount += 1
    }

    /// Whether another lookup would exceed the limit on queries.
    private var isFull: Bool {
        waitingCount > 0 || queries.count + 2 > configuration.clampedQueries
    }

    private func start(_ lookup: Lookup) {
        checkFiles()
        guard let search = current?.search else { return fail(lookup, .shutDown) }
        var candidates = search.candidates(lookup.name)
        if !lookup.isRelative {
            candidates = SearchList(domains: [], dots: 0).candidates(lookup.name)
        }
        lookup.state = LookupState(
            name: lookup.name, candidates: candidates, types: lookup.types,
            negativeTTL: configuration.negativeTTL)
        handle(.start, of: lookup)
        observeTickEnd()
    }

    private func handle(_ event: LookupState.Event, of lookup: Lookup) {
        if lookup.outcome != nil { return }
        for action in lookup.state?.handle(event) ?? [] {
            switch action {
            case .query(let name, let type):
                lastNumber += 1
                queries[lastNumber] = (lookup, type)
                current?.query(name, type, number: lastNumber)
            case .waitForOtherFamily:
                lookup.familyDelay = reactor.schedule(
                    after: configuration.familyDelay, label: "dns family"
                ) { [weak self, weak lookup] _ in
                    if let lookup { self?.handle(.familyDelayEnded, of: lookup) }
                }
            case .succeed(let answer): finish(lookup, .success(answer))
            case .fail(let error): finish(lookup, .failure(error))
            }
        }
    }

    // MARK: End

    private func fail(_ lookup: Lookup, _ kind: DNSError.Kind) {
        let isNegative = kind == .unknownName || kind == .noRecords
        let valid = isNegative ? configuration.negativeTTL : nil
        finish(lookup, .failure(DNSError(kind, name: lookup.name, negativeTTL: valid)))
    }

    /// Ends a lookup; its completion is called at the end of the tick. Again: without effect.
    func finish(_ lookup: Lookup, _ outcome: Lookup.Outcome) {
        if lookup.outcome != nil { return }
        lookup.outcome = outcome
        lookup.cancelTimers()
        stopWaiting(lookup)
        live.remove(lookup)
        finished.append(lookup)
        observeTickEnd()
    }

    private func observeTickEnd() {
        if isObservingTickEnd { return }
        isObservingTickEnd = true
        reactor.observeTickEnd(self)
    }

    private func ended(_ number: UInt64, _ status: Int32, _ bytes: [UInt8]) {
        if isShutDown { return }
        ended.append((number, status, bytes))
        observeTickEnd()
    }

    /// Ends all lookups and closes the sockets. Again: without effect.
    func shutDown() {
        if isShutDown { return }
        isShutDown = true
        for lookup in live.inOrder { fail(lookup, .shutDown) }
        while waiting.popFirst() != nil {}
        ended = []
        queries = [:]
        expiry.take()?.cancel()
        for channel in retired { channel.close() }
        retired = []
        current.take()?.close()
        reactor.stopObservingLoopEnd(self)
    }
}

extension ResolverCore: TickEndHandler, LoopEndHandler {
    func loopEnding(on reactor: Reactor) { shutDown() }

    func tickEnding(on reactor: Reactor) {
        isObservingTickEnd = false
        takeEnded()
        startWaiting()
        dropAbandoned()
        scheduleExpiry()
        // Last, since completions may do anything.
        let done = finished
        finished = []
        for lookup in done {
            guard let completion = lookup.completion.take(), let outcome = lookup.outcome else {
                continue
            }
            completion(outcome)
        }
    }

    private func takeEnded() {
        let reports = ended
        ended = []
        for report in reports {
            guard let (lookup, type) = queries.removeValue(forKey: report.number) else { continue }
            if lookup.outcome != nil { continue }
            let outcome = QueryOutcome(
                status: report.status, report.bytes, type, limit: configuration.recordLimit)
            handle(.ended(type, outcome), of: lookup)
        }
    }

    private func startWaiting() {
        while queries.count + 2 <= configuration.clampedQueries, let next = waiting.popFirst() {
            if !next.isWaiting { continue }
            stopWaiting(next)
            start(next)
        }
    }

    private func stopWaiting(_ lookup: Lookup) {
        if !lookup.isWaiting { return }
        lookup.isWaiting = false
        waitingCount -= 1
    }

    /// c-ares can't cancel a single query. All of them are cancelled when no lookup needs one.
    private func dropAbandoned() {
        if live.count == 0 && !queries.isEmpty {
            current?.cancelAll()
            for channel in retired { channel.cancelAll() }
        }
        retired.removeAll { channel in
            if channel.running > 0 { return false }
            channel.close()
            return true
        }
    }

    private func scheduleExpiry() {
        expiry.take()?.cancel()
        var least = current?.timeToExpiry
        for channel in retired {
            if let left = channel.timeToExpiry { least = min(least ?? left, left) }
        }
        guard let least else { return }
        // The loop's time is that of its last wait, behind that of c-ares: not too early, then.
        expiry = reactor.schedule(after: least + .milliseconds(1), label: "dns") {
            [weak self] _ in self?.expire()
        }
    }

    private func expire() {
        current?.expire()
        for channel in retired { channel.expire() }
        observeTickEnd()
    }
}

// MARK: - Files

extension ResolverCore {
    /// The addresses of a name that needs no query; nil: it needs one.
    func knownAddresses(of host: String, port: UInt16, families: DNSFamilies)
        -> Result<DNSAddresses, DNSError>?
    {
        if let literal = Literal.parse(host, port: port) {
            let found = literal.isOf(families) ? [literal] : []
            return result(host, found)
        }
        if isShutDown || !HostName.isValid(host) { return nil }
        checkFiles()
        let listed = hosts.addresses(of: host, families: families)
        if !listed.isEmpty { return result(host, listed.map { $0.withPort(port) }) }
        if !HostName.isLocalhost(host) { return nil }
        let local: [SocketAddress] = [
            .ipv6(high: 0, low: 1, port: port, scope: 0), .ipv4(bits: 0x7F00_0001, port: port),
        ]
        return result(host, local.filter { $0.isOf(families) })
    }

    private func result(_ host: String, _ found: [SocketAddress]) -> Result<DNSAddresses, DNSError>
    {
        if found.isEmpty {
            return .failure(
                DNSError(.noRecords, name: host, negativeTTL: configuration.negativeTTL))
        }
        let addresses = found.map { DNSAddress($0, ttl: nil) }
        return .success(
            DNSAddresses(
                DNSAddresses.ordered(addresses, source: \.source), minimumTTL: nil))
    }

    /// Reads again what has changed, at most once a second.
    private func checkFiles() {
        if let filesChecked, reactor.now - filesChecked < .seconds(1) { return }
        filesChecked = reactor.now
        if let path = configuration.hostsFile {
            let stamp = FileStamp(of: path)
            if stamp != hostsStamp {
                hostsStamp = stamp
                let bytes = try? FileContents.read(
                    path, limit: HostsFile.limitBytes, waitingAtMost: .zero)
                hosts = HostsFile(bytes ?? [])
            }
        }
        let stamp = FileStamp(of: configuration.resolvConf)
        if stamp == settingsStamp { return }
        // A channel that can't be made leaves the old one in use; the next check tries again.
        guard let next = try? makeChannel() else { return }
        settingsStamp = stamp
        if let current { retired.append(current) }
        current = next
    }
}
