import RocketBalancing
import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

/// The endpoints of a channel, and all of its connections: those in the pools of the endpoints, and
/// retired ones that only wait for replies. Selects the endpoint of each call.
///
/// Not copyable: a copyable value in an unchecked class property is copied by each call of a method.
struct ChannelEndpoints: ~Copyable {
    /// Those that are connected to: all, or a subset of a long list.
    private(set) var list: [ChannelEndpoint] = []
    /// Chooses among several. What it does not know of a single one it learns when others come.
    var balancer: Balancer
    /// By the indices of the balancer.
    private var byIndex: [ChannelEndpoint?] = []
    /// In the order of their numbers.
    private var all: [ClientConnection] = []
    /// The ready connection of the only endpoint, found without a search.
    private(set) var only: ClientConnection?
    /// What the channel is without endpoints.
    private var stateWithoutEndpoints = RPCChannelState.idle
    private var lastNumber = 0
    private var random: LoopRandom
    /// What differs from channel to channel: it decides which subset of a long list is used.
    private let client: UInt64

    init(_ configuration: RPCChannelConfiguration, random: LoopRandom) {
        self.random = random
        client = self.random.next()
        balancer = Balancer(using: &self.random)
        configure(configuration)
    }

    /// Takes over another configuration. A changed subset counts from the next list on.
    mutating func configure(_ configuration: RPCChannelConfiguration) {
        var balancing = configuration.balancing
        if balancing.subset == nil, configuration.subsetSize > 0 {
            balancing.subset = Subset(client: client, size: configuration.subsetSize)
        }
        balancer.configuration = balancing
    }

    /// The best state of any endpoint.
    var state: RPCChannelState {
        if list.count == 1 { return list[0].state }
        var (isIdle, isConnecting, isFailed) = (false, false, false)
        for endpoint in list {
            switch endpoint.state {
            case .ready: return .ready
            case .connecting: isConnecting = true
            case .transientFailure: isFailed = true
            case .idle: isIdle = true
            case .closed: break
            }
        }
        if isConnecting { return .connecting }
        if isIdle { return .idle }
        return isFailed ? .transientFailure : stateWithoutEndpoints
    }

    var areSeveral: Bool { list.count > 1 }

    // MARK: Selecting

    /// The connection for the next call: one with room, of the endpoint that is picked.
    ///
    /// - Parameters:
    ///   - key: what a consistent hash goes by; nil: a random one.
    ///   - number: a connection whose endpoint is picked only when there is no other.
    mutating func next(
        key: UInt64?, avoiding number: Int?, now: MonotonicTime
    ) -> ClientConnection? {
        if list.count == 1 { return list[0].next(avoiding: number) }
        var tried = TriedEndpoints()
        if let number, let endpoint = find(number)?.endpoint { tried.insert(endpoint.index) }
        return pick(key: key, excluding: tried, now: now) ?? firstWithRoom
    }

    /// A connection with room, of an endpoint that is picked of all but that of a connection.
    mutating func other(than number: Int, key: UInt64?, now: MonotonicTime) -> ClientConnection? {
        guard areSeveral, let used = find(number)?.endpoint else { return nil }
        var tried = TriedEndpoints()
        tried.insert(used.index)
        return pick(key: key, excluding: tried, now: now)
    }

    /// A connection of an endpoint that the balancer picks. Up to three without room are passed over.
    @inline(__always)
    private mutating func pick(
        key: UInt64?, excluding tried: TriedEndpoints, now: MonotonicTime
    ) -> ClientConnection? {
        var tried = tried
        for _ in 0..<3 {
            guard let index = balancer.pick(now: now, key: key, excluding: tried) else { break }
            if let connection = byIndex[index]?.next() { return connection }
            tried.insert(index)
        }
        return nil
    }

    /// A connection with room, of any endpoint.
    var firstWithRoom: ClientConnection? {
        for endpoint in list {
            if let connection = endpoint.next() { return connection }
        }
        return nil
    }

    /// The balancer learns whether calls can be sent to an endpoint.
    mutating func stateChanged(of endpoint: ChannelEndpoint) {
        if endpoint.isListed {
            balancer.setUsable(endpoint.state == .ready, at: endpoint.index)
        }
    }

    func find(_ number: Int) -> ClientConnection? {
        var (low, high) = (0, all.count)
        while low < high {
            let middle = (low + high) / 2
            if all[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < all.count && all[low].number == number ? all[low] : nil
    }

    // MARK: The list

    /// The name has been looked up, or that has failed.
    mutating func without(_ state: RPCChannelState) { stateWithoutEndpoints = state }

    /// Takes over a new list. Endpoints that were in the last one stay with their connections.
    ///
    /// - Parameter make: makes an endpoint with its index; or updates one.
    /// - Returns: those that are none any more.
    mutating func replace(
        _ endpoints: [RPCEndpoint], make: (RPCEndpoint, Int, ChannelEndpoint?) -> ChannelEndpoint
    ) -> [ChannelEndpoint] {
        // With pick_first there is one, whose addresses change.
        let isOne = balancer.configuration.policy == .pickFirst
        var known: [String: RPCEndpoint] = [:]
        let listed = endpoints.map { endpoint in
            let identity = isOne ? "" : endpoint.text
            if known[identity] == nil { known[identity] = endpoint }
            return BalancedEndpoint(
                identity, weight: Double(endpoint.weight), zone: endpoint.zone ?? "")
        }
        balancer.update(listed)
        let indices = balancer.indices
        let kept = Set(indices)
        let removed = list.filter { !kept.contains($0.index) }
        list = []
        for index in indices {
            guard let identity = balancer.endpoint(at: index)?.identity,
                let endpoint = known[identity]
            else { continue }
            while byIndex.count <= index { byIndex.append(nil) }
            let old = byIndex[index].flatMap { $0.isListed ? $0 : nil }
            let entry = make(endpoint, index, old)
            byIndex[index] = entry
            list.append(entry)
            stateChanged(of: entry)
        }
        findOnly()
        return removed
    }

    // MARK: Connections

    mutating func handle(
        _ event: Connectivity.Event, in slot: Int, of endpoint: ChannelEndpoint
    ) -> ConnectionPool.Action {
        endpoint.handle(event, in: slot, using: &random)
    }

    /// Adds a new connection in that slot.
    mutating func add(in slot: Int, of endpoint: ChannelEndpoint, _ core: ChannelCore)
        -> ClientConnection
    {
        lastNumber += 1
        let connection = ClientConnection(
            number: lastNumber, poolSlot: slot, of: endpoint, core)
        all.append(connection)
        endpoint.add(connection)
        return connection
    }

    mutating func becameReady(_ connection: ClientConnection) {
        connection.endpoint.becameReady(connection)
        findOnly()
    }

    mutating func retire(_ connection: ClientConnection) {
        connection.endpoint.retire(connection)
        findOnly()
    }

    mutating func remove(_ connection: ClientConnection) {
        all.removeAll { $0 === connection }
        retire(connection)
    }

    private mutating func findOnly() { only = list.count == 1 ? unsafe list[0].only : nil }

    /// Opens nothing any more on an endpoint.
    ///
    /// - Returns: its connections.
    mutating func close(_ endpoint: ChannelEndpoint) -> [ClientConnection] {
        endpoint.close(using: &random)
    }

    /// Closes all endpoints.
    ///
    /// - Returns: the connections that there were.
    mutating func removeAll() -> [ClientConnection] {
        for endpoint in list {
            for connection in endpoint.close(using: &random) { endpoint.retire(connection) }
        }
        list = []
        only = nil
        stateWithoutEndpoints = .closed
        defer { all = [] }
        return all
    }
}
