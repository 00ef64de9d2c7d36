public import RocketDNS
public import RocketReactor

/// A `DNSClient` whose results a test gives: for simulations and manual clocks, without a network.
/// Bound to its loop's thread.
public final class FakeDNSClient: DNSClient {
    /// The results of hosts. Lookups of others wait until they are set, by `setAddresses`.
    public private(set) var addresses: [String: Result<DNSAddresses, DNSError>] = [:]
    /// The results of services. Lookups of others wait until they are set, by `setServices`.
    public private(set) var services: [String: Result<DNSServices, DNSError>] = [:]
    /// The names of all lookups so far.
    public private(set) var lookups: [String] = []

    private let reactor: Reactor
    private var pending: [Pending] = []
    private var isObserving = false

    private final class Pending {
        let host: String?
        let service: String?
        var isCancelled = false
        var hostCompletion: ((Result<DNSAddresses, DNSError>) -> Void)?
        var serviceCompletion: ((Result<DNSServices, DNSError>) -> Void)?

        init(host: String? = nil, service: String? = nil) {
            self.host = host
            self.service = service
        }
    }

    /// Creates a client without results.
    public init(on reactor: Reactor) { self.reactor = reactor }

    /// How many lookups wait for a result.
    public var pendingLookups: Int { pending.count }

    /// Sets the result of a host, for lookups that wait and later ones; nil: later ones wait.
    public func setAddresses(of host: String, _ result: Result<DNSAddresses, DNSError>?) {
        addresses[host] = result
        observe()
    }

    /// Sets the result of a service, for lookups that wait and later ones; nil: later ones wait.
    public func setServices(of name: String, _ result: Result<DNSServices, DNSError>?) {
        services[name] = result
        observe()
    }

    /// As `DNSClient` describes. The port of the results is replaced.
    @discardableResult
    public func lookUp(
        host: String, port: UInt16, families: DNSFamilies,
        completion: @escaping (Result<DNSAddresses, DNSError>) -> Void
    ) -> DNSRequest {
        let lookup = Pending(host: host)
        lookup.hostCompletion = { result in
            completion(
                result.map { found in
                    DNSAddresses(
                        found.addresses.map { $0.withPort(port) },
                        minimumTTL: found.minimumTTL, missingFamily: found.missingFamily)
                })
        }
        return begin(lookup, host)
    }

    /// As `DNSClient` describes.
    @discardableResult
    public func lookUpServices(
        name: String, completion: @escaping (Result<DNSServices, DNSError>) -> Void
    ) -> DNSRequest {
        let lookup = Pending(service: name)
        lookup.serviceCompletion = completion
        return begin(lookup, name)
    }

    private func begin(_ lookup: Pending, _ name: String) -> DNSRequest {
        lookups.append(name)
        pending.append(lookup)
        observe()
        return DNSRequest { [weak self, weak lookup] in
            lookup?.isCancelled = true
            self?.observe()
        }
    }

    private func observe() {
        if isObserving { return }
        isObserving = true
        reactor.observeTickEnd(self)
    }
}

extension FakeDNSClient: TickEndHandler {
    /// Reports results. Called by the reactor.
    public func tickEnding(on reactor: Reactor) {
        isObserving = false
        let all = pending
        pending = []
        for lookup in all where !report(lookup) { pending.append(lookup) }
    }

    /// Returns false: it waits on.
    private func report(_ lookup: Pending) -> Bool {
        let name = lookup.host ?? lookup.service ?? ""
        let cancelled = DNSError(.cancelled, name: name)
        if let completion = lookup.hostCompletion {
            guard let result = lookup.isCancelled ? .failure(cancelled) : addresses[name] else {
                return false
            }
            completion(result)
        } else if let completion = lookup.serviceCompletion {
            guard let result = lookup.isCancelled ? .failure(cancelled) : services[name] else {
                return false
            }
            completion(result)
        }
        return true
    }
}
