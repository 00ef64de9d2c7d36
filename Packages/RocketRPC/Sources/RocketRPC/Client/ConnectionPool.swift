import RocketTCP

/// The places for a channel's connections, their states, and how many calls each carries: which
/// one takes a call, and when another one is opened. A pure value.
///
/// They share one back-off, since all go to the same server: while one rests after a failure, no
/// other is tried.
struct ConnectionPool {
    private struct Place {
        var connectivity = Connectivity()
        var calls = 0
    }

    private var places: [Place]
    private var backOff: BackOff

    init(size: Int, backOff: BackOff) {
        places = Array(repeating: Place(), count: max(1, size))
        self.backOff = backOff
    }

    /// The channel's state: the best that one of them is in.
    var state: RPCChannelState {
        var isIdle = false
        var result: RPCChannelState?
        for place in places {
            switch place.connectivity.state {
            case .ready: return .ready
            case .connecting: result = .connecting
            case .transientFailure: if result == nil { result = .transientFailure }
            case .idle: isIdle = true
            case .closed: break
            }
        }
        return result ?? (isIdle ? .idle : .closed)
    }

    /// Where the next call goes: to the one with the fewest calls, if any is ready.
    ///
    /// - Parameters:
    ///   - avoided: only if there is no other.
    ///   - hasRoom: whether the connection in that place can be written to.
    @inline(__always)
    func place(
        avoiding avoided: Int? = nil, where hasRoom: (Int) -> Bool = { _ in true }
    ) -> Int? {
        var best: Int?
        for index in places.indices
        where places[index].connectivity.state == .ready && hasRoom(index) {
            guard let found = best else {
                best = index
                continue
            }
            if found == avoided || (index != avoided && places[index].calls < places[found].calls) {
                best = index
            }
        }
        return best
    }

    /// Where a connection should be opened, now that a call has come: one at a time, none while
    /// there is one without calls, none while one rests.
    func placeToConnect() -> Int? {
        var idle: Int?
        for (index, place) in places.enumerated() {
            switch place.connectivity.state {
            case .idle: if idle == nil { idle = index }
            case .ready: if place.calls == 0 { return nil }
            case .connecting, .transientFailure, .closed: return nil
            }
        }
        return idle
    }

    mutating func began(at place: Int) { places[place].calls += 1 }
    mutating func finished(at place: Int) { places[place].calls -= 1 }

    enum Action: Hashable {
        case nothing
        case connect
        case rest(Duration)
        case disconnect
    }

    mutating func handle<Generator: RandomNumberGenerator>(
        _ event: Connectivity.Event, at place: Int, using generator: inout Generator
    ) -> Action {
        let action = places[place].connectivity.handle(event)
        switch event {
        case .ended(let worked):
            places[place].calls = 0
            if worked { backOff.succeeded() }
        case .retired: places[place].calls = 0
        default: break
        }
        switch action {
        case .nothing: return .nothing
        case .connect: return .connect
        case .disconnect: return .disconnect
        case .rest: return .rest(backOff.next(using: &generator))
        }
    }

    var indices: Range<Int> { places.indices }
}
