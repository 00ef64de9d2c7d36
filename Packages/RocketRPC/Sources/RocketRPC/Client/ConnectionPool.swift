import RocketTCP

/// The slots for a channel's connections, with their states and their numbers of calls: selects
/// the connection for a call, and decides when another one is opened. A value.
///
/// The slots share one back-off, since all connect to the same server: while one backs off after a
/// failure, no other connects.
struct ConnectionPool {
    private struct Slot {
        var connectivity = Connectivity()
        var calls = 0
    }

    private var slots: [Slot]
    private var backOff: BackOff

    init(size: Int, backOff: BackOff) {
        slots = Array(repeating: Slot(), count: max(1, size))
        self.backOff = backOff
    }

    var indices: Range<Int> { slots.indices }

    /// The channel's state: the best state of any slot.
    var state: RPCChannelState {
        var isIdle = false
        var result: RPCChannelState?
        for slot in slots {
            switch slot.connectivity.state {
            case .ready: return .ready
            case .connecting: result = .connecting
            case .transientFailure: if result == nil { result = .transientFailure }
            case .idle: isIdle = true
            case .closed: break
            }
        }
        return result ?? (isIdle ? .idle : .closed)
    }

    /// The slot for the next call: the ready one with the fewest calls; nil when none is ready.
    ///
    /// - Parameters:
    ///   - avoided: is returned only when there is no other.
    ///   - hasRoom: whether the connection in that slot can be written to.
    @inline(__always)
    func slot(
        avoiding avoided: Int? = nil, where hasRoom: (Int) -> Bool = { _ in true }
    ) -> Int? {
        var best: Int?
        for index in slots.indices
        where slots[index].connectivity.state == .ready && hasRoom(index) {
            guard let found = best else {
                best = index
                continue
            }
            if found == avoided || (index != avoided && slots[index].calls < slots[found].calls) {
                best = index
            }
        }
        return best
    }

    /// The slot to open a connection in for a new call; nil while another one is connecting, has
    /// no calls or backs off.
    func slotToConnect() -> Int? {
        var idle: Int?
        for (index, slot) in slots.enumerated() {
            switch slot.connectivity.state {
            case .idle: if idle == nil { idle = index }
            case .ready: if slot.calls == 0 { return nil }
            case .connecting, .transientFailure, .closed: return nil
            }
        }
        return idle
    }

    mutating func callBegan(in slot: Int) { slots[slot].calls += 1 }
    mutating func callEnded(in slot: Int) { slots[slot].calls -= 1 }

    enum Action: Hashable {
        case nothing
        case connect
        case backOff(Duration)
    }

    mutating func handle<Generator: RandomNumberGenerator>(
        _ event: Connectivity.Event, in slot: Int, using generator: inout Generator
    ) -> Action {
        let action = slots[slot].connectivity.handle(event)
        switch event {
        case .ended(let worked):
            slots[slot].calls = 0
            if worked { backOff.succeeded() }
        case .retired: slots[slot].calls = 0
        default: break
        }
        switch action {
        case .nothing: return .nothing
        case .connect: return .connect
        case .backOff: return .backOff(backOff.next(using: &generator))
        }
    }
}
