public import RocketBase
public import RocketDNS
@_spi(Simulation) public import RocketReactor
public import RocketRPC

/// Finds servers by DNS, without a thread: `dns:///orders.svc:12345` or `orders.svc:12345` by their
/// addresses, `srv:_rocket._tcp.orders.svc` by SRV records. `dns://10.0.0.1/…` and `srv://10.0.0.1:53/…`
/// ask that server. Any thread.
///
/// A host with at most one address of each family is one endpoint, whose addresses are raced
/// (RFC 8305); with more, each address is an endpoint. Each target of SRV records is an endpoint with
/// all its addresses, and its record's weight (0 counts as 1); of the priorities, the best one is used
/// that has a target with addresses. TLS checks certificates against the host, or the target.
///
/// A name is looked up again when its TTL is over: 1 s to 5 min, 30 s where there is none (the hosts
/// file); a negative answer lasts as long as its own TTL, within the same bounds. After a failure, and
/// when a server can't be reached, it is looked up sooner: after 1 to 2 s, twice as long each time that
/// this brings nothing new, up to 30 s. What could not be looked up (a family, a target) keeps the
/// addresses that it had.
///
/// Lookups of one loop share a `DNSResolver`. In a simulation, pass a client.
public struct DNSNames: RPCResolver {
    private let configuration: DNSConfiguration
    private let makeClient: (@Sendable (Reactor, DNSConfiguration) -> any DNSClient)?

    /// A resolver that asks DNS.
    ///
    /// - Parameter configuration: its servers are those of names without one.
    public init(_ configuration: DNSConfiguration = DNSConfiguration()) {
        self.configuration = configuration
        makeClient = nil
    }

    /// A resolver that asks another client: for tests and simulations.
    ///
    /// - Parameter client: returns the client of a loop, on that loop; called for each name that is
    ///   resolved. The configuration has the server of the name, if it has one.
    public init(
        _ configuration: DNSConfiguration = DNSConfiguration(),
        client: @escaping @Sendable (Reactor, DNSConfiguration) -> any DNSClient
    ) {
        self.configuration = configuration
        makeClient = client
    }

    /// `dns` and `srv`.
    public var schemes: [String] { [DNSName.hostScheme, DNSName.serviceScheme] }

    /// Checks the name and the server.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR.
    public func check(_ target: RPCTarget) throws(RPCError) { _ = try DNSName(target) }

    /// Begins to look a name up. On the channel's loop; does not wait.
    public func start(
        _ target: RPCTarget, on reactor: Reactor, report: RPCResolverReport
    ) -> any RPCResolution {
        do throws(RPCError) {
            let name = try DNSName(target)
            let resolution = DNSResolution(
                name, try client(of: name, on: reactor), on: reactor, report)
            resolution.start()
            return resolution
        } catch {
            report.failed(error)
            return NoResolution()
        }
    }

    private func client(of name: DNSName, on reactor: Reactor) throws(RPCError) -> any DNSClient {
        var configuration = configuration
        if let server = name.server { configuration.servers = [server] }
        if let makeClient { return makeClient(reactor, configuration) }
        if reactor.simulatedNetwork != nil {
            throw RPCError(
                .unavailable, "DNS is not simulated: pass a client to DNSNames(client:)")
        }
        do throws(DNSSetupError) {
            return try LoopResolvers.of(reactor).resolver(configuration, on: reactor)
        } catch {
            throw RPCError(.unavailable, "names can't be looked up", cause: error)
        }
    }
}

/// A name that can't be resolved in any case.
private final class NoResolution: RPCResolution {
    func refresh() {}
    func cancel() {}
}

/// The resolvers of a loop, one for each configuration in use. Bound to the loop.
final class LoopResolvers {
    private struct Weak { weak var resolver: DNSResolver? }
    private var resolvers: [DNSConfiguration: Weak] = [:]

    static func of(_ reactor: Reactor) -> LoopResolvers {
        reactor.attachment(LoopResolvers.self) { _ in LoopResolvers() }
    }

    func resolver(
        _ configuration: DNSConfiguration, on reactor: Reactor
    ) throws(DNSSetupError) -> DNSResolver {
        if let known = resolvers[configuration]?.resolver { return known }
        let resolver = try DNSResolver(configuration: configuration, on: reactor)
        // determinism: only what is kept changes
        resolvers = resolvers.filter { $0.value.resolver != nil }
        resolvers[configuration] = Weak(resolver: resolver)
        return resolver
    }
}
