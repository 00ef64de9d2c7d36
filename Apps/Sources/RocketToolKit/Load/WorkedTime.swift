import RocketReactor

/// How long a loop has worked, and waited for events. A value.
struct WorkedTime {
    private let worked: UInt64
    private let waited: UInt64

    init(_ reactor: Reactor) {
        (worked, waited) = (reactor.workedNanoseconds, reactor.waitedNanoseconds)
    }

    /// The share of the time since then in which it worked, 0 to 1.
    func share(since former: WorkedTime) -> Double {
        let work = Double(worked - former.worked)
        let all = work + Double(waited - former.waited)
        return all > 0 ? work / all : 0
    }
}
