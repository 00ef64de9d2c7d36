import RocketSystem

/// The stages of a load: of the rate of an open loop, or of the number of callers of a closed one. A
/// value.
struct LoadStages: Hashable, Sendable {
    /// Without stages all calls are in the first.
    static let none = LoadStages(ends: [], callers: nil)

    /// When each ends, since the start.
    let ends: [Duration]
    /// How many callers make calls; nil: all, all the time.
    private let callers: LoadSchedule?

    private init(ends: [Duration], callers: LoadSchedule?) {
        (self.ends, self.callers) = (ends, callers)
    }

    /// Of a rate.
    init(ofRate schedule: LoadSchedule) { self.init(ends: schedule.ends, callers: nil) }

    /// Of a number of callers.
    init(ofCallers schedule: LoadSchedule) { self.init(ends: schedule.ends, callers: schedule) }

    /// Returns the index of the stage with that time, which is not before stage `former`.
    func index(of time: Duration, after former: Int) -> Int {
        var index = former
        while index + 1 < ends.count, time >= ends[index] { index += 1 }
        return index
    }

    /// Returns the first time from `now` on at which a caller is one of those that make calls: the
    /// number of callers is rounded. Nil: it makes none any more.
    func turn(
        ofCaller caller: Int, _ now: MonotonicTime, since start: MonotonicTime
    ) -> MonotonicTime? {
        guard let callers else { return now }
        let time = max(.zero, now - start)
        return callers.time(ofAtLeast: Double(caller) + 0.5, from: time).map {
            // Not before now by the rounding of seconds to a number.
            $0 <= time ? now : max(now, start + $0)
        }
    }
}
