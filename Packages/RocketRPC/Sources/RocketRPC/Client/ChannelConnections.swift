import RocketReactor
import RocketSystem
import RocketTCP

/// The connections of a channel: those in the slots of its pool, and retired ones that only wait
/// for replies. Bookkeeping only: `ChannelCore`, which owns it, opens and closes them.
///
/// Not copyable: a copyable value in an unchecked class property is copied by each call of a method.
struct ChannelConnections: ~Copyable {
    private var pool: ConnectionPool
    /// By pool slot.
    private var current: [ClientConnection?]
    /// Those in the pool and the retired ones.
    private var all: [ClientConnection] = []
    /// The ready connection of a pool of one, found without a search; nil where a connection takes one
    /// call at a time.
    private(set) var only: ClientConnection?
    private var lastNumber = 0
    private var lastReplacement: MonotonicTime?
    /// When a silent connection was last replaced, by pool slot.
    private var lastSilence: [MonotonicTime?]
    private var random: LoopRandom

    init(size: Int, backOff: BackOff, random: LoopRandom) {
        self.random = random
        pool = ConnectionPool(size: size, backOff: backOff)
        current = Array(repeating: nil, count: pool.indices.count)
        lastSilence = Array(repeating: nil, count: pool.indices.count)
    }

    var state: RPCChannelState { pool.state }

    /// The slot to open a connection in for a new call, if any.
    var slotToConnect: Int? { pool.slotToConnect() }

    /// The connection for the next call: the one with the fewest calls of those with room.
    ///
    /// - Parameter number: a connection that is returned only when there is no other.
    func next(avoiding number: Int? = nil) -> ClientConnection? {
        let avoided = number.flatMap { number in current.firstIndex { $0?.number == number } }
        let slot = pool.slot(avoiding: avoided) { current[$0]?.hasRoom ?? false }
        return slot.flatMap { current[$0] }
    }

    func find(_ number: Int) -> ClientConnection? { all.first { $0.number == number } }

    mutating func handle(_ event: Connectivity.Event, in slot: Int) -> ConnectionPool.Action {
        pool.handle(event, in: slot, using: &random)
    }

    /// Adds a new connection in that slot.
    mutating func add(in slot: Int, of core: ChannelCore) -> ClientConnection {
        lastNumber += 1
        let connection = ClientConnection(number: lastNumber, poolSlot: slot, of: core)
        all.append(connection)
        current[slot] = connection
        return connection
    }

    mutating func becameReady(_ connection: ClientConnection) {
        if current.count == 1, !connection.rules.isExclusive { only = connection }
    }

    mutating func callBegan(on connection: ClientConnection) {
        connection.callsInFlight += 1
        if let slot = connection.poolSlot { pool.callBegan(in: slot) }
    }

    /// - Returns: whether the connection is to be closed: it is retired, and that was its last call.
    mutating func callEnded(on connection: ClientConnection) -> Bool {
        connection.callsInFlight -= 1
        guard let slot = connection.poolSlot else { return connection.callsInFlight == 0 }
        pool.callEnded(in: slot)
        return false
    }

    /// Removes a connection from its slot; it still delivers the replies to its calls.
    mutating func retire(_ connection: ClientConnection) {
        if only === connection { only = nil }
        if let slot = connection.poolSlot, current[slot] === connection { current[slot] = nil }
        connection.poolSlot = nil
    }

    /// Whether a connection that has answered UNAVAILABLE is to be replaced by a new one. A draining
    /// server answers that on its old connections, while its successor may accept new ones already.
    /// So may an overloaded server; therefore at most one connection a second is replaced.
    mutating func shouldReplace(_ connection: ClientConnection, now: MonotonicTime) -> Bool {
        guard connection.hasWorked, connection.poolSlot != nil else { return false }
        if let last = lastReplacement, now - last < .seconds(1) { return false }
        lastReplacement = now
        return true
    }

    /// Whether a connection on which nothing arrived while a call waited for its whole time is to be
    /// replaced by a new one. Its server may only be slow; therefore at most one connection a second
    /// is replaced in a slot.
    mutating func shouldReplaceSilent(_ connection: ClientConnection, now: MonotonicTime) -> Bool {
        guard let slot = connection.poolSlot else { return false }
        if let last = lastSilence[slot], now - last < .seconds(1) { return false }
        lastSilence[slot] = now
        return true
    }

    mutating func remove(_ connection: ClientConnection) {
        all.removeAll { $0 === connection }
        retire(connection)
    }

    /// Closes all slots.
    ///
    /// - Returns: the connections that there were.
    mutating func removeAll() -> [ClientConnection] {
        for slot in pool.indices { _ = pool.handle(.close, in: slot, using: &random) }
        only = nil
        current = current.map { _ in nil }
        defer { all = [] }
        return all
    }
}
