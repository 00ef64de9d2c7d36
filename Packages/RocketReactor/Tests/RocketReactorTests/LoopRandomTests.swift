import RocketReactor
import RocketReactorTestKit
import Testing

@Suite(.oneAtATime) struct LoopRandomTests {
    /// Counts from a start.
    private struct Counting: RandomNumberGenerator {
        var last: UInt64
        mutating func next() -> UInt64 {
            last += 1
            return last
        }
    }

    @Test("Draws the numbers of the generator that the loop was handed")
    func handedIn() throws {
        let hand = try HandDrivenLoop(random: Counting(last: 7))
        #expect(hand.reactor.random.next() == 8)
        var random = hand.reactor.random
        // Whoever draws, the sequence goes on.
        #expect(random.next() == 9 && hand.reactor.random.next() == 10)
        #expect((0..<8).contains(Int.random(in: 0..<8, using: &random)))
    }

    @Test("Draws from the system by default")
    func system() throws {
        let loops = try (0..<2).map { _ in try HandDrivenLoop() }
        let numbers = loops.flatMap { hand in (0..<4).map { _ in hand.reactor.random.next() } }
        // Two of eight are equal with a probability of 2e-18.
        #expect(Set(numbers).count == 8)
    }
}
