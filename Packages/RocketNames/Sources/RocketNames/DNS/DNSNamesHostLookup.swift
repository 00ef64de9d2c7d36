import RocketBase
public import RocketDNS
public import RocketReactor
public import RocketSystem
public import RocketTCP

/// Looks up the hosts of a `PersistentConnection` by DNS and the hosts file, for each attempt. Lookups
/// of one loop share a `DNSResolver` with the channels on it. Any thread.
public struct DNSHostLookup: HostLookup {
    private let configuration: DNSConfiguration

    /// A lookup by these servers, with these limits.
    public init(_ configuration: DNSConfiguration = DNSConfiguration()) {
        self.configuration = configuration
    }

    /// As `HostLookup` describes.
    public func addresses(
        of host: HostPort, on reactor: Reactor,
        completion: @escaping (Result<[NetAddress], NameLookupError>) -> Void
    ) -> () -> Void {
        let resolver: DNSResolver
        do { resolver = try LoopResolvers.of(reactor).resolver(configuration, on: reactor) } catch {
            let failure = NameLookupError(
                host: host.host, text: "\(error)", isUnknownName: false)
            let timer = reactor.schedule(at: reactor.now, label: "dns") { _ in
                completion(.failure(failure))
            }
            return { timer.cancel() }
        }
        let request = resolver.lookUp(host: host.host, port: host.port) { result in
            // Keeps the resolver until the end of the lookup.
            withExtendedLifetime(resolver) {
                completion(
                    result.map { $0.addresses.map { NetAddress($0.address) } }.mapError { error in
                        NameLookupError(
                            host: host.host, text: error.kind.rawValue,
                            isUnknownName: error.isNegative)
                    })
            }
        }
        return { request.cancel() }
    }
}
