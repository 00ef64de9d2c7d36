import RocketBase
import RocketTCP

/// What a channel, its inbox and its core share. Any thread.
struct ChannelContext: Sendable {
    let target: String
    /// Those that it was created with.
    let settings: ChannelSettings
    let logger: RocketLogger
    let counters = ChannelCounters()
    let broadcaster = StateBroadcaster()

    init(target: String, settings: ChannelSettings, logger: RocketLogger) {
        self.target = target
        self.settings = settings
        self.logger = logger
    }
}

/// What a channel calls, and how: its core takes others over as a whole. A value.
struct ChannelSettings: Sendable {
    let source: EndpointSource
    /// Makes what opens the connections to an endpoint.
    let connector: @Sendable (RPCEndpoint) -> any Connector
    let configuration: RPCChannelConfiguration
    let rules: PeerRules
    /// nil: no method has a policy of its own.
    let policies: MethodPolicies?

    init(
        source: EndpointSource, configuration: RPCChannelConfiguration,
        connector: @escaping @Sendable (RPCEndpoint) -> any Connector
    ) {
        self.source = source
        self.connector = connector
        self.configuration = configuration
        rules = PeerRules(configuration)
        policies = MethodPolicies(configuration.methods)
    }
}

/// Where the endpoints of a channel come from.
enum EndpointSource: Sendable {
    case fixed([RPCEndpoint])
    case resolved(any RPCResolver, RPCTarget)

    /// Whether both are the same name, or the same list.
    func isSame(as other: EndpointSource) -> Bool {
        switch (self, other) {
        case (.fixed(let one), .fixed(let two)): one == two
        case (.resolved(_, let one), .resolved(_, let two)): one == two
        default: false
        }
    }

    /// One endpoint, for a connector that needs no address.
    static var connector: EndpointSource { .fixed([RPCEndpoint([])]) }

    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a target that can't be resolved.
    init(_ target: RPCTarget, resolvers: [any RPCResolver]) throws(RPCError) {
        if let address = target.address {
            self = .fixed([RPCEndpoint([address])])
        } else if target.scheme == "list" {
            self = .fixed(try Self.list(target))
        } else if let resolver = resolvers.first(where: { $0.schemes.contains(target.scheme) }) {
            try resolver.check(target)
            self = .resolved(resolver, target)
        } else {
            let known = ["list"] + resolvers.flatMap(\.schemes)
            throw RPCError(
                .peerAddress,
                "'\(target)' has the scheme \(target.scheme), which this program has no resolver for "
                    + "(known: \(known.joined(separator: ", ")); see docs/guides/names.md)")
        }
    }

    private static func list(_ target: RPCTarget) throws(RPCError) -> [RPCEndpoint] {
        var endpoints: [RPCEndpoint] = []
        for text in target.name.split(separator: ",", omittingEmptySubsequences: false) {
            do {
                endpoints.append(RPCEndpoint([try NetAddress(parsing: String(text))]))
            } catch {
                throw RPCError(.peerAddress, "'\(target)': \(error)")
            }
        }
        return endpoints
    }
}
