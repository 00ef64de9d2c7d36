import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

/// One server of a channel: its connections, those in the slots of its pool. Bookkeeping only:
/// `ChannelCore`, which owns it, opens and closes them. Bound to the channel's loop.
final class ChannelEndpoint {
    private(set) var endpoint: RPCEndpoint
    private(set) var connector: any Connector
    /// Its index in the balancer, as long as it has calls.
    let index: Int
    /// Whether it is one of the channel's.
    private(set) var isListed = true
    // SAFETY of the unchecked properties: bound to one thread, and nothing that runs inside an access
    // to one of them uses the endpoint.
    @exclusivity(unchecked) private var pool: ConnectionPool
    /// By pool slot.
    @exclusivity(unchecked) private var current: [ClientConnection?]
    /// The ready connection of a pool of one, found without a search; nil where a connection takes one
    /// call at a time.
    @exclusivity(unchecked) private(set) var only: ClientConnection?
    private var lastReplacement: MonotonicTime?
    /// When a silent connection was last replaced, by pool slot.
    private var lastSilence: [MonotonicTime?]

    init(
        _ endpoint: RPCEndpoint, _ connector: any Connector, index: Int, poolSize: Int,
        backOff: BackOff
    ) {
        self.endpoint = endpoint
        self.index = index
        self.connector = connector
        unsafe pool = ConnectionPool(size: poolSize, backOff: backOff)
        let slots = unsafe pool.indices.count
        unsafe current = Array(repeating: nil, count: slots)
        lastSilence = Array(repeating: nil, count: slots)
    }

    /// Takes over what a new list says of it.
    func update(_ endpoint: RPCEndpoint, _ connector: any Connector) {
        self.endpoint = endpoint
        self.connector = connector
    }

    var state: RPCChannelState { unsafe pool.state }

    /// The slot to open a connection in for a new call, if any.
    var slotToConnect: Int? { unsafe pool.slotToConnect() }

    /// The connection for the next call: the one with the fewest calls of those with room.
    ///
    /// - Parameter number: a connection that is returned only when there is no other.
    func next(avoiding number: Int? = nil) -> ClientConnection? {
        if let only = unsafe only, number == nil { return only.hasRoom ? only : nil }
        let avoided = number.flatMap { number in
            unsafe current.firstIndex { $0?.number == number }
        }
        let slot = unsafe pool.slot(avoiding: avoided) { unsafe current[$0]?.hasRoom ?? false }
        return slot.flatMap { unsafe current[$0] }
    }

    func handle(
        _ event: Connectivity.Event, in slot: Int, using random: inout LoopRandom
    ) -> ConnectionPool.Action {
        unsafe pool.handle(event, in: slot, using: &random)
    }

    /// Puts a new connection into its slot.
    func add(_ connection: ClientConnection) {
        if let slot = connection.poolSlot { unsafe current[slot] = connection }
    }

    func becameReady(_ connection: ClientConnection) {
        if unsafe current.count == 1, !connection.rules.isExclusive { unsafe only = connection }
    }

    func callBegan(on connection: ClientConnection) {
        connection.callsInFlight += 1
        if let slot = connection.poolSlot { unsafe pool.callBegan(in: slot) }
    }

    /// - Returns: whether the connection is to be closed: it is retired, and that was its last call.
    func callEnded(on connection: ClientConnection) -> Bool {
        connection.callsInFlight -= 1
        guard let slot = connection.poolSlot else { return connection.callsInFlight == 0 }
        unsafe pool.callEnded(in: slot)
        return false
    }

    /// Removes a connection from its slot; it still delivers the replies to its calls.
    func retire(_ connection: ClientConnection) {
        if unsafe only === connection { unsafe only = nil }
        if let slot = connection.poolSlot, unsafe current[slot] === connection {
            unsafe current[slot] = nil
        }
        connection.poolSlot = nil
    }

    /// Whether a connection that has answered UNAVAILABLE is to be replaced by a new one. A draining
    /// server answers that on its old connections, while its successor may accept new ones already.
    /// So may an overloaded server; therefore at most one connection a second is replaced.
    func shouldReplace(_ connection: ClientConnection, now: MonotonicTime) -> Bool {
        guard connection.hasWorked, connection.poolSlot != nil else { return false }
        if let last = lastReplacement, now - last < .seconds(1) { return false }
        lastReplacement = now
        return true
    }

    /// Whether a connection on which nothing arrived while a call waited for its whole time is to be
    /// replaced by a new one. Its server may only be slow; therefore at most one connection a second
    /// is replaced in a slot.
    func shouldReplaceSilent(_ connection: ClientConnection, now: MonotonicTime) -> Bool {
        guard let slot = connection.poolSlot else { return false }
        if let last = lastSilence[slot], now - last < .seconds(1) { return false }
        lastSilence[slot] = now
        return true
    }

    /// Connections to addresses that it does not have any more.
    var outdated: [ClientConnection] {
        unsafe current.compactMap { connection in
            guard let address = connection?.peerAddress, !endpoint.addresses.contains(address)
            else { return nil }
            return connection
        }
    }

    /// Closes all slots: nothing is opened any more.
    ///
    /// - Returns: the connections that were in them.
    func close(using random: inout LoopRandom) -> [ClientConnection] {
        isListed = false
        for slot in unsafe pool.indices {
            _ = unsafe pool.handle(.close, in: slot, using: &random)
        }
        return unsafe current.compactMap(\.self)
    }
}
