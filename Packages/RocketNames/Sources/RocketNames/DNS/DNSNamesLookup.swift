import RocketDNS
import RocketRPC
import RocketTCP

/// One lookup of a name, from the first question to the list of servers: results go in, the hosts to
/// look up next come out, and the list at the end. A value.
struct DNSNameLookup {
    struct List: Equatable {
        var endpoints: [RPCEndpoint]
        /// The least one of all records; nil: none has one.
        var ttl: Duration?
        /// Why a part of it is not of this lookup, or is missing; nil: it is complete.
        var isComplete: Bool
    }

    enum Step: Equatable {
        case wait
        case lookUp(hosts: [String])
        case found(List)
        case failed(DNSError)
    }

    /// The records by priority, those in turn first.
    private var groups: ArraySlice<[DNSService]>
    private var ttl: Duration?
    private var waiting: Set<String> = []
    private var results: [String: Result<DNSMemory.Found, DNSError>] = [:]
    private var isComplete = true

    /// A lookup of the targets of SRV records.
    init(_ services: DNSServices) {
        ttl = services.minimumTTL
        let priorities = Dictionary(grouping: services.services, by: \.priority)
        groups = priorities.sorted { $0.key < $1.key }.map(\.value)[...]
    }

    /// The hosts of the best priority.
    mutating func start() -> Step {
        waiting = Set(groups.first?.map(\.target) ?? [])
        return .lookUp(hosts: waiting.sorted())
    }

    /// Takes the result of a host.
    mutating func take(_ result: Result<DNSMemory.Found, DNSError>, of host: String) -> Step {
        guard waiting.remove(host) != nil else { return .wait }
        results[host] = result
        return waiting.isEmpty ? next() : .wait
    }

    private mutating func next() -> Step {
        var list: [RPCEndpoint] = []
        var failure: DNSError?
        for service in groups.first ?? [] {
            switch results[service.target] {
            case .success(let found)?:
                if let ttl = found.ttl { self.ttl = min(self.ttl ?? ttl, ttl) }
                if !found.isComplete { isComplete = false }
                list.append(Self.endpoint(service, found.addresses))
            case .failure(let error)?:
                if !error.isNegative { isComplete = false }
                // What may be over soon is more telling than what is known.
                if failure == nil || !error.isNegative { failure = error }
            case nil: continue
            }
        }
        if !list.isEmpty {
            return .found(List(endpoints: list, ttl: ttl, isComplete: isComplete))
        }
        if groups.count > 1 {
            groups.removeFirst()
            results = [:]
            return start()
        }
        return .failed(failure ?? DNSError(.noRecords, name: ""))
    }

    private static func endpoint(_ service: DNSService, _ addresses: [NetAddress]) -> RPCEndpoint {
        var endpoint = RPCEndpoint(
            addresses.map { $0.withPort(service.port) }, host: service.target)
        endpoint.weight = max(1, Int(service.weight))
        return endpoint
    }

    /// The endpoints of a host: one, if it has at most one address of each family; else one for each
    /// address.
    static func endpoints(
        _ addresses: [NetAddress], port: UInt16, host: String?
    ) -> [RPCEndpoint] {
        let addresses = addresses.map { $0.withPort(port) }
        let ipv6Count = addresses.count(where: \.isIPv6)
        if ipv6Count <= 1, addresses.count - ipv6Count <= 1 {
            return [RPCEndpoint(addresses, host: host)]
        }
        return addresses.map { RPCEndpoint([$0], host: host) }
    }
}
