import RocketSystem

/// The operations of a poller that the kernel may refuse.
@_spi(TestKit) public enum PollerOperation: Sendable { case add, change, remove }

/// What a reactor waits on: epoll, or in a simulation a `SimulatedPoller`. Its user data are a
/// registration's token (generation and descriptor number). Owned by the reactor.
struct Poller: ~Copyable {
    enum Backing: ~Copyable {
        case epoll(EpollPoller)
        case simulated(any SimulatedPoller)
    }

    let backing: Backing

    init(eventsPerWait: Int) throws(SystemError) {
        backing = .epoll(try EpollPoller(eventsPerWait: eventsPerWait))
    }

    init(_ simulated: any SimulatedPoller) { backing = .simulated(simulated) }

    func add(_ number: Int32, _ interest: IOInterest, token: UInt64) throws(SystemError) {
        switch backing {
        case .epoll(let poller): try poller.add(number, interest, token: token)
        case .simulated(let poller): try poller.add(number, interest, token: token)
        }
    }

    func change(_ number: Int32, _ interest: IOInterest, token: UInt64) throws(SystemError) {
        switch backing {
        case .epoll(let poller): try poller.change(number, interest, token: token)
        case .simulated(let poller): try poller.change(number, interest, token: token)
        }
    }

    func remove(_ number: Int32) throws(SystemError) {
        switch backing {
        case .epoll(let poller): try poller.remove(number)
        case .simulated(let poller): try poller.remove(number)
        }
    }

    /// Waits for events and returns how many there are. `event(_:)` returns them until the next
    /// wait.
    func wait(nanoseconds: Int64) -> Int {
        switch backing {
        case .epoll(let poller): poller.wait(nanoseconds: nanoseconds)
        case .simulated(let poller): poller.poll()
        }
    }

    func event(_ index: Int) -> (token: UInt64, events: IOEvents) {
        switch backing {
        case .epoll(let poller): poller.event(index)
        case .simulated(let poller): poller.event(index)
        }
    }
}

/// Epoll: its flags and its operations. No other type uses epoll.
struct EpollPoller: ~Copyable {
    private let epoll: EpollInstance
    private let list: EpollEventList

    init(eventsPerWait: Int) throws(SystemError) {
        epoll = try EpollInstance()
        list = EpollEventList(capacity: eventsPerWait)
    }

    func add(_ raw: Int32, _ interest: IOInterest, token: UInt64) throws(SystemError) {
        try epoll.add(raw, mask: Self.mask(interest), data: token)
    }

    func change(_ raw: Int32, _ interest: IOInterest, token: UInt64) throws(SystemError) {
        try epoll.modify(raw, mask: Self.mask(interest), data: token)
    }

    func remove(_ raw: Int32) throws(SystemError) { try epoll.remove(raw) }

    func wait(nanoseconds: Int64) -> Int { epoll.wait(into: list, nanoseconds: nanoseconds) }

    func event(_ index: Int) -> (token: UInt64, events: IOEvents) {
        let (mask, data) = list[index]
        return (data, Self.events(mask))
    }

    // epoll(7): EPOLLIN 1, EPOLLOUT 4, EPOLLERR 8, EPOLLHUP 16, EPOLLRDHUP 0x2000, EPOLLET 1 << 31.
    private static func mask(_ interest: IOInterest) -> UInt32 {
        var mask: UInt32 = 0
        if interest.contains(.read) { mask |= 0x1 }
        if interest.contains(.write) { mask |= 0x4 }
        if interest.contains(.readHangup) { mask |= 0x2000 }
        if interest.contains(.edgeTriggered) { mask |= 1 << 31 }
        return mask
    }

    private static func events(_ mask: UInt32) -> IOEvents {
        let low = mask & 0x1 | (mask & 0x4) >> 1 | (mask & 0x2000) >> 11
        return IOEvents(rawValue: UInt8(truncatingIfNeeded: low | mask & 0x10 | (mask & 0x8) << 2))
    }
}
