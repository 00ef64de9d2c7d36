import RocketTCP
import Testing

/// Always returns the same number. (Not the largest: `Double.random` rejects some and repeats.)
private struct Fixed: RandomNumberGenerator {
    let value: UInt64
    mutating func next() -> UInt64 { value }
}

@Suite struct BackOffTests {
    @Test("Doubles the waits up to the longest")
    func waitsDoubleUpToTheirBound() {
        var generator = Fixed(value: 0)
        var backOff = BackOff(first: .milliseconds(100), most: .milliseconds(900))
        let waits = (0..<6).map { _ in backOff.next(using: &generator) }
        let wanted = [100, 200, 400, 800, 900, 900].map { Duration.milliseconds($0) }
        for (wait, want) in zip(waits, wanted) { #expect(wait == want / 2) }
    }

    @Test("Waits at least half of the exponential time")
    func noWaitIsShorterThanHalf() {
        var generator = Fixed(value: 0)
        var backOff = BackOff(first: .seconds(1))
        #expect(backOff.next(using: &generator) == .milliseconds(500))
    }

    @Test("Begins at the first wait again after a success")
    func successBeginsAgain() {
        var generator = Fixed(value: 0)
        var backOff = BackOff(first: .seconds(1))
        _ = backOff.next(using: &generator)
        _ = backOff.next(using: &generator)
        backOff.succeeded()
        #expect(backOff.failures == 0)
        #expect(backOff.next(using: &generator) == .milliseconds(500))
    }

    @Test("Does not overflow after a thousand failures")
    func aThousandFailuresDoNotOverflow() {
        var backOff = BackOff(first: .seconds(1), factor: 1e9, most: .seconds(60))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<1000 { #expect(backOff.next(using: &generator) <= .seconds(60)) }
    }
}
