public import RocketReactor
public import RocketSystem

/// Looks up names by DNS and the hosts file, on a loop, without a thread: c-ares sends the queries, its
/// sockets and time limits are the reactor's.
///
/// Not Sendable: bound to its reactor's thread. Owned by whoever creates it; when it is released, or
/// its loop ends, the lookups that are running end as `shutDown`. Nothing blocks on the network; the
/// hosts file and resolv.conf are read when they have changed, which takes as long as the disk does.
/// Answers are not cached: they have their TTL. In a simulation, which has no network, use another
/// `DNSClient`.
public final class DNSResolver: DNSClient {
    let core: ResolverCore

    /// Creates a resolver, and reads resolv.conf.
    ///
    /// - Throws: `DNSSetupError`: a server is no IP address, or c-ares can't be set up.
    public init(
        configuration: DNSConfiguration = DNSConfiguration(), on reactor: Reactor
    ) throws(DNSSetupError) {
        for server in configuration.servers where !server.isOf(.all) {
            throw DNSSetupError(text: "a server has to be an IP address")
        }
        core = try ResolverCore(configuration, on: reactor)
        reactor.observeLoopEnd(core)
    }

    deinit { core.shutDown() }

    /// Whether a text is a name that DNS may have: labels of 1 to 63 bytes of printable ASCII, 253 in
    /// all, one dot at the end allowed. Any thread.
    public static func accepts(name: String) -> Bool { HostName.isValid(name) }

    /// The servers that lookups use now.
    public var servers: [SocketAddress] { core.servers }

    /// How many lookups have not ended, those that wait for their turn included.
    public var pendingLookups: Int { core.pendingLookups }

    /// Looks up the addresses of a host: a literal is its own result; then the hosts file; `localhost`
    /// is this machine (RFC 6761); then DNS, with the search domains for a relative name.
    ///
    /// - Parameters:
    ///   - host: a name or an IP address, without brackets.
    ///   - port: of the addresses in the result.
    ///   - completion: called once, on the loop, at the end of a tick: never inside this function.
    /// - Returns: a handle for cancelling. The lookup continues without it.
    @discardableResult
    public func lookUp(
        host: String, port: UInt16 = 0, families: DNSFamilies = .all,
        completion: @escaping (Result<DNSAddresses, DNSError>) -> Void
    ) -> DNSRequest {
        let types = Self.types(of: families)
        let lookup = Lookup(host, types: types) { result in
            completion(
                result.map { answer in
                    DNSAddresses(answer, port: port, source: \.source)
                })
        }
        if let known = core.knownAddresses(of: host, port: port, families: families) {
            lookup.completion = { result in
                completion(result.flatMap { _ in known })
            }
            core.finish(lookup, .success(LookupState.Answer()))
        } else {
            core.begin(lookup, isRelative: true)
        }
        return core.request(for: lookup)
    }

    /// Looks up the servers of a service (SRV records).
    ///
    /// - Parameters:
    ///   - name: as `_rocket._tcp.example.org`. Complete: it is not searched in other domains.
    ///   - completion: called once, on the loop, at the end of a tick: never inside this function.
    /// - Returns: a handle for cancelling. The lookup continues without it.
    @discardableResult
    public func lookUpServices(
        name: String, completion: @escaping (Result<DNSServices, DNSError>) -> Void
    ) -> DNSRequest {
        let lookup = Lookup(name, types: [.srv]) { result in
            completion(result.map { DNSServices($0) })
        }
        core.begin(lookup, isRelative: false)
        return core.request(for: lookup)
    }

    private static func types(of families: DNSFamilies) -> [RecordType] {
        var types: [RecordType] = []
        // RFC 8305, 3: the query for AAAA first.
        if families.contains(.ipv6) { types.append(.aaaa) }
        if families.contains(.ipv4) { types.append(.a) }
        return types
    }
}

extension DNSAddresses {
    /// - Parameter source: the address that packets to another one are sent from.
    init(_ answer: LookupState.Answer, port: UInt16, source: (SocketAddress) -> SocketAddress?) {
        let found = answer.records.compactMap { record -> DNSAddress? in
            let ttl = Duration.seconds(record.ttl)
            return switch record.data {
            case .ipv4(let bits): DNSAddress(.ipv4(bits: bits, port: port), ttl: ttl)
            case .ipv6(let high, let low):
                DNSAddress(.ipv6(high: high, low: low, port: port, scope: 0), ttl: ttl)
            case .service: nil
            }
        }
        self.init(
            Self.ordered(found, source: source), minimumTTL: .seconds(answer.minimumTTL),
            missingFamily: answer.missing)
    }

    static func ordered(
        _ addresses: [DNSAddress], source: (SocketAddress) -> SocketAddress?
    ) -> [DNSAddress] {
        if addresses.count < 2 || addresses.allSatisfy({ $0.address.isOf(.ipv4) }) {
            return addresses
        }
        return AddressOrder.sorted(addresses, address: \.address, source: source)
    }
}

extension DNSServices {
    init(_ answer: LookupState.Answer) {
        let found = answer.records.compactMap { record -> DNSService? in
            guard case .service(let priority, let weight, let port, let target) = record.data
            else { return nil }
            return DNSService(
                priority: priority, weight: weight, port: port, target: target,
                ttl: .seconds(record.ttl))
        }
        let sorted = found.enumerated().sorted {
            ($0.element.priority, $0.offset) < ($1.element.priority, $1.offset)
        }
        self.init(sorted.map(\.element), minimumTTL: .seconds(answer.minimumTTL))
    }
}
