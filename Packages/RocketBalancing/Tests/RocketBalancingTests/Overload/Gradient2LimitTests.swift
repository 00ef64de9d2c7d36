import RocketBalancing
import RocketSystem
import Testing

@Suite("Gradient2")
struct Gradient2LimitTests {
    /// Lets so many windows pass in which the limit is used fully, or the given calls are in flight.
    private func run(
        _ limiter: inout Gradient2Limit, windows: Int, milliseconds: Int, from start: inout Int,
        inFlight: Int? = nil
    ) {
        for _ in 0..<windows {
            var begun = 0
            while begun < inFlight ?? Int.max, limiter.begin(priority: .critical) { begun += 1 }
            for number in 0..<begun {
                // The last one ends after the window.
                let time = start + (number == begun - 1 ? 101 : 50)
                limiter.ended(after: .milliseconds(milliseconds), now: .milliseconds(time))
            }
            start += 101
        }
    }

    @Test("Grows while durations are even and the limit is used, up to the greatest")
    func grows() {
        var limiter = Gradient2Limit()
        var time = 1
        #expect(limiter.limit == 20)
        run(&limiter, windows: 10, milliseconds: 20, from: &time)
        #expect((90...130).contains(limiter.limit))
        run(&limiter, windows: 100, milliseconds: 20, from: &time)
        #expect(limiter.limit == 1_000)
        #expect(limiter.inFlight == 0)
    }

    @Test("Does not grow while less than half of it is used")
    func applicationLimited() {
        var limiter = Gradient2Limit()
        var time = 1
        run(&limiter, windows: 100, milliseconds: 20, from: &time, inFlight: 9)
        #expect(limiter.limit <= 22)
    }

    @Test("Shrinks when calls take longer, by a tenth per window at most, down to the least")
    func shrinks() {
        var limiter = Gradient2Limit()
        var time = 1
        run(&limiter, windows: 20, milliseconds: 20, from: &time)
        let before = limiter.limit
        run(&limiter, windows: 1, milliseconds: 500, from: &time)
        #expect(limiter.limit >= before * 9 / 10)
        run(&limiter, windows: 60, milliseconds: 500, from: &time)
        #expect(limiter.limit <= 25)
    }

    @Test("Half as long again is tolerated")
    func tolerance() {
        var limiter = Gradient2Limit()
        var time = 1
        run(&limiter, windows: 12, milliseconds: 20, from: &time)
        let before = limiter.limit
        run(&limiter, windows: 3, milliseconds: 29, from: &time)
        #expect(limiter.limit >= before)
    }

    @Test("Grows slowly again once durations have grown")
    func slowGrowth() {
        var limiter = Gradient2Limit()
        var time = 1
        run(&limiter, windows: 12, milliseconds: 20, from: &time)
        run(&limiter, windows: 1, milliseconds: 100, from: &time)
        run(&limiter, windows: 2, milliseconds: 20, from: &time)
        let before = limiter.limit
        run(&limiter, windows: 10, milliseconds: 20, from: &time)
        #expect((before + 6...before + 10).contains(limiter.limit))
    }

    @Test("Refuses at the limit, low priorities earlier")
    func priorities() {
        var limiter = Gradient2Limit()
        #expect((0..<30).filter { _ in limiter.begin(priority: .sheddable) }.count == 12)
        #expect((0..<30).filter { _ in limiter.begin() }.count == 4)
        #expect((0..<30).filter { _ in limiter.begin(priority: .critical) }.count == 4)
        #expect(limiter.inFlight == 20)
        limiter.ended(after: nil, now: .seconds(1))
        #expect(limiter.begin(priority: .critical) == true)
        #expect(limiter.refusals == 18 + 26 + 26)
    }

    @Test("A configuration out of range does no harm")
    func bad() {
        var configuration = Gradient2Limit.Configuration()
        configuration.initialLimit = -1
        configuration.minLimit = 0
        configuration.maxLimit = -5
        configuration.longWindow = 0
        configuration.smoothing = 7
        var limiter = Gradient2Limit(configuration)
        var time = 1
        run(&limiter, windows: 50, milliseconds: 20, from: &time)
        #expect(limiter.limit >= 1)
        limiter.ended(after: .zero, now: .seconds(1))
        #expect(limiter.inFlight == 0)
    }
}
