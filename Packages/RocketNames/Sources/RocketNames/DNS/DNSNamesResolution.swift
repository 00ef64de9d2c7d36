import RocketBase
import RocketDNS
import RocketReactor
import RocketRPC

/// A name that is looked up for a channel, again and again. Bound to the channel's loop.
final class DNSResolution: RPCResolution {
    private let name: DNSName
    private let client: any DNSClient
    private let reactor: Reactor
    private let report: RPCResolverReport
    private var schedule = DNSSchedule()
    private var memory = DNSMemory()
    /// The lookup of the targets of SRV records, and the hosts that were asked for.
    private var lookup: DNSNameLookup?
    private var asked: Set<String> = []
    private var requests: [DNSRequest] = []
    private var timer: ScheduledTimer?
    private var last: Set<RPCEndpoint> = []
    private var isEnded = false

    init(
        _ name: DNSName, _ client: any DNSClient, on reactor: Reactor, _ report: RPCResolverReport
    ) {
        self.name = name
        self.client = client
        self.reactor = reactor
        self.report = report
    }

    func refresh() {
        if !isEnded, schedule.refresh(at: reactor.now) { wait() }
    }

    func cancel() {
        isEnded = true
        timer.take()?.cancel()
        for request in requests { request.cancel() }
        requests = []
    }

    /// Begins a lookup.
    func start() {
        timer = nil
        schedule.began()
        asked = []
        switch name.question {
        case .host(let host, let port, let hostName):
            lookUp(host) { [weak self] found in self?.end(found, port: port, host: hostName) }
        case .service(let service):
            requests.append(
                client.lookUpServices(name: service) { [weak self] result in
                    guard let self, !self.isEnded else { return }
                    self.requests = []
                    switch result {
                    case .failure(let error): self.end(error)
                    case .success(let services):
                        var lookup = DNSNameLookup(services)
                        let step = lookup.start()
                        self.lookup = lookup
                        self.take(step)
                    }
                })
        }
    }

    private func lookUp(
        _ host: String, _ use: @escaping (Result<DNSMemory.Found, DNSError>) -> Void
    ) {
        asked.insert(host)
        requests.append(
            client.lookUp(host: host, port: 0, families: .all) { [weak self] result in
                guard let self, !self.isEnded else { return }
                let found = self.memory.take(result, of: host)
                if case (.failure(let error), .success) = (result, found), self.lookup == nil {
                    // The host keeps its addresses; that DNS is away must be seen all the same.
                    self.report(error)
                }
                use(found)
            })
    }

    private func take(_ step: DNSNameLookup.Step) {
        switch step {
        case .wait: return
        case .lookUp(let hosts):
            requests = []
            for host in hosts {
                lookUp(host) { [weak self] found in
                    if let step = self?.lookup?.take(found, of: host) { self?.take(step) }
                }
            }
        case .found(let list): end(list)
        case .failed(let error): end(error)
        }
    }

    // MARK: End

    private func end(
        _ found: Result<DNSMemory.Found, DNSError>, port: UInt16, host: String?
    ) {
        switch found {
        case .failure(let error): end(error)
        case .success(let found):
            end(
                DNSNameLookup.List(
                    endpoints: DNSNameLookup.endpoints(found.addresses, port: port, host: host),
                    ttl: found.ttl, isComplete: found.isComplete))
        }
    }

    private func end(_ list: DNSNameLookup.List) {
        let endpoints = Set(list.endpoints)
        let isNew = endpoints != last
        last = endpoints
        ended(list.isComplete ? .found(ttl: list.ttl, isNew: isNew) : .foundPart(ttl: list.ttl))
        if isNew { report.found(list.endpoints) }
    }

    private func end(_ error: DNSError) {
        // The loop ends.
        if error.kind == .shutDown { return cancel() }
        ended(error.isNegative ? .negative(ttl: error.negativeTTL) : .failed)
        report(error)
    }

    private func report(_ error: DNSError) {
        report.failed(RPCError(.failedConnect, "\(error)").adding("connect", "no address"))
    }

    private func ended(_ outcome: DNSSchedule.Outcome) {
        requests = []
        lookup = nil
        memory.keep(asked)
        var random = reactor.random
        schedule.ended(outcome, at: reactor.now, using: &random)
        wait()
    }

    private func wait() {
        guard let due = schedule.due else { return }
        timer?.cancel()
        timer = reactor.schedule(at: due, label: "dns name") { [weak self] _ in self?.start() }
    }
}
