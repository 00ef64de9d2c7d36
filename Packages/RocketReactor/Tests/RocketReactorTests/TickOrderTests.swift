import RocketReactor
import RocketReactorTestKit
import Testing

@Suite struct TickOrderTests {
    @Test func aTaskRunsInTheNextTick() throws {
        let hand = try HandDrivenLoop()
        nonisolated(unsafe) var ran = false
        hand.loop.execute { _ in ran = true }
        #expect(!ran)
        #expect(hand.tick().tasks == 1)
        #expect(ran)
    }
}
