import RocketBalancing
import RocketSystem
import Testing

@Suite("Retry budget and hedges")
struct RetryBudgetTests {
    @Test("A fifth of the calls of the last ten seconds may be sent again")
    func share() {
        var budget = RetryBudget()
        for number in 0..<10_000 { budget.began(now: .milliseconds(number)) }
        #expect(budget.balance(now: .milliseconds(9_999)) == 2_000)
        let sent = (0..<3_000).filter { _ in budget.withdraw(now: .milliseconds(9_999)) }
        #expect(sent.count == 2_000)
        #expect(budget.refusals == 1_000)
    }

    @Test(
        "In no ten seconds are there more retries than a fifth of their calls",
        arguments: [UInt64(0), 50, 990])
    func everyTenSeconds(offset: UInt64) {
        var budget = RetryBudget(minimumPerSecond: 0)
        // Ten calls per second, and as many retries as are allowed, after a while without any.
        var retries: [UInt64] = []
        for tick in 0..<500 {
            let now = offset + UInt64(tick) * 100
            budget.began(now: .milliseconds(Int(now)))
            while tick >= 100, budget.withdraw(now: .milliseconds(Int(now))) { retries.append(now) }
        }
        for start in retries {
            #expect(retries.count { $0 >= start && $0 < start + 10_000 } <= 20)
        }
        #expect(retries.count >= 70)
    }

    @Test("Old calls and old retries are forgotten")
    func forgets() {
        var budget = RetryBudget(minimumPerSecond: 0)
        for _ in 0..<100 { budget.began(now: .seconds(1)) }
        #expect(budget.withdraw(now: .seconds(10)) == true)
        #expect(budget.balance(now: .milliseconds(10_999)) == 19)
        #expect(budget.balance(now: .seconds(11)) == 0)
        for _ in 0..<100 { budget.began(now: .seconds(19)) }
        #expect(budget.balance(now: .seconds(19)) == 19)
        #expect(budget.balance(now: .seconds(20)) == 19)
        #expect(budget.balance(now: .seconds(21)) == 20)
        #expect(budget.balance(now: .seconds(1_000_000)) == 0)
    }

    @Test("A channel with few calls may send ten again per second")
    func minimum() {
        var budget = RetryBudget()
        var sent = 0
        for number in 0..<100_000 where budget.withdraw(now: .milliseconds(number)) { sent += 1 }
        #expect((1_000...1_100).contains(sent))
    }

    @Test("A hedge waits for the 95th percentile of the method")
    func hedge() throws {
        var hedge = HedgeDelay()
        for number in 1...99 { hedge.record(nanoseconds: UInt64(number) * 1_000_000) }
        #expect(hedge.delay(isIdempotent: true, remaining: .seconds(2)) == nil)
        for number in 1...400 { hedge.record(nanoseconds: UInt64(number % 100) * 1_000_000) }
        let delay = try #require(hedge.delay(isIdempotent: true, remaining: .seconds(2)))
        #expect(delay >= .milliseconds(94) && delay <= .milliseconds(107))
        #expect(hedge.delay(isIdempotent: false, remaining: .seconds(2)) == nil)
        #expect(hedge.delay(isIdempotent: true, hedges: 1, remaining: .seconds(2)) == nil)
        #expect(hedge.delay(isIdempotent: true, remaining: .milliseconds(90)) == nil)
    }

    @Test("A hedge of a fast method waits for the minimum")
    func fast() {
        var hedge = HedgeDelay()
        for _ in 0..<200 { hedge.record(nanoseconds: 20_000) }
        #expect(hedge.delay(isIdempotent: true, remaining: .seconds(2)) == .milliseconds(1))
    }
}
