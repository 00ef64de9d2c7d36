import RocketBase

/// A call that was kept: what a loop stores of it, as it is cheapest. A value.
struct KeptCall {
    var endedAt: UInt64
    var method: _MethodEntry?
    var peers: ConnectionPeers
    var connection: UInt64
    var wire: String
    var code: RPCErrorCode
    var reason: RPCServerSnapshot.SampledCall.Reason
    var measured: MeasuredCall
    /// The text of its error, shortened by `ErrorText`; empty: it has none.
    var error = ""
    /// How long its handler has waited for the peer to read: a part of the time until `handledAt`.
    var peerWait: UInt64 = 0
    /// When its reply was passed to the kernel; 0: it was not.
    var flushedAt: UInt64 = 0
    /// Whether its reply waits to be passed to the kernel.
    var awaitsFlush = false
    var requestBytes = 0
    var responseBytes = 0
    /// That of its traceparent; zero: it has none.
    var trace = TraceID()
    /// Its number among those that were kept.
    fileprivate(set) var number: UInt64 = 0
}

/// The calls of one loop that were kept, in rings of their own: many failed ones don't displace the slow
/// ones, nor do traced ones displace any others. A value.
struct KeptCalls {
    /// The ring that a call is in.
    enum Ring { case slow, failed, cancelled, sampled, traced }

    /// Where a call is, as long as no later one has its place.
    struct Place {
        fileprivate let ring: Ring
        fileprivate let index: Int
        fileprivate let number: UInt64
    }

    /// The most calls of a ring, and of that of traced ones.
    static let capacity = 64
    static let tracedCapacity = 256

    private var slow = LastElements<KeptCall>(capacity: capacity)
    private var failed = LastElements<KeptCall>(capacity: capacity)
    private var cancelled = LastElements<KeptCall>(capacity: capacity)
    private var sampled = LastElements<KeptCall>(capacity: capacity)
    private var traced = LastElements<KeptCall>(capacity: tracedCapacity)
    private var count: UInt64 = 0

    /// Adds a call in place of the oldest of its ring.
    mutating func append(_ call: KeptCall, to ring: Ring) -> Place {
        count += 1
        var call = call
        call.number = count
        let index = with(ring) { $0.append(call) }
        return Place(ring: ring, index: index, number: count)
    }

    /// Changes a call, unless a later one has its place.
    mutating func update(_ place: Place, _ body: (inout KeptCall) -> Void) {
        with(place.ring) { ring in
            if ring[place.index].number == place.number { body(&ring[place.index]) }
        }
    }

    /// Those of all rings, in no particular order.
    var all: [KeptCall] {
        [KeptCall](slow.all) + failed.all + cancelled.all + sampled.all + traced.all
    }

    private mutating func with<Result>(
        _ ring: Ring, _ body: (inout LastElements<KeptCall>) -> Result
    ) -> Result {
        switch ring {
        case .slow: body(&slow)
        case .failed: body(&failed)
        case .cancelled: body(&cancelled)
        case .sampled: body(&sampled)
        case .traced: body(&traced)
        }
    }
}

/// The last elements of a kind. A value; allocates its memory with the first one.
struct LastElements<Element> {
    /// How many there are at most; 1 or more.
    let capacity: Int
    private var elements: ContiguousArray<Element> = []
    private var next = 0

    init(capacity: Int) { self.capacity = capacity }

    /// Adds one in place of the oldest.
    ///
    /// - Returns: its index.
    mutating func append(_ element: Element) -> Int {
        if elements.count < capacity {
            if elements.isEmpty { elements.reserveCapacity(capacity) }
            elements.append(element)
            return elements.count - 1
        }
        defer { next = (next + 1) % capacity }
        elements[next] = element
        return next
    }

    subscript(_ index: Int) -> Element {
        get { elements[index] }
        set { elements[index] = newValue }
    }

    /// All of them, in no particular order.
    var all: ContiguousArray<Element> { elements }
}
