import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

/// The endpoints of a channel, and all of its connections: those in the pools of the endpoints, and
/// retired ones that only wait for replies. Selects the endpoint of each call.
///
/// Not copyable: a copyable value in an unchecked class property is copied by each call of a method.
struct ChannelEndpoints: ~Copyable {
    private(set) var list: [ChannelEndpoint] = []
    /// In the order of their numbers.
    private var all: [ClientConnection] = []
    /// The ready connection of the only endpoint, found without a search.
    private(set) var only: ClientConnection?
    /// What the channel is without endpoints.
    private var stateWithoutEndpoints = RPCChannelState.idle
    private var lastNumber = 0
    private var random: LoopRandom
    private var turn = 0

    init(random: LoopRandom) { self.random = random }

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
    /// - Parameter number: a connection whose endpoint is picked only when there is no other.
    mutating func next(avoiding number: Int? = nil) -> ClientConnection? {
        if list.count == 1 { return list[0].next(avoiding: number) }
        let avoided = number.flatMap { find($0)?.endpoint.index }
        turn &+= 1
        var found: ClientConnection?
        for offset in list.indices {
            let index = (turn + offset) % list.count
            guard let connection = list[index].next() else { continue }
            if index != avoided { return connection }
            found = connection
        }
        return found
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
    /// - Returns: those that are none any more.
    mutating func replace(
        _ endpoints: [RPCEndpoint], make: (RPCEndpoint) -> ChannelEndpoint
    ) -> [ChannelEndpoint] {
        var known: [[NetAddress]: ChannelEndpoint] = [:]
        for old in list {
            known[old.endpoint.addresses] = old
            old.index = nil
        }
        var new: [ChannelEndpoint] = []
        for endpoint in endpoints {
            let entry = known[endpoint.addresses] ?? make(endpoint)
            // The same addresses twice are one endpoint.
            if entry.index != nil { continue }
            entry.update(endpoint)
            entry.index = new.count
            known[endpoint.addresses] = entry
            new.append(entry)
        }
        let removed = list.filter { $0.index == nil }
        list = new
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
            endpoint.index = nil
        }
        list = []
        only = nil
        stateWithoutEndpoints = .closed
        defer { all = [] }
        return all
    }
}
