import RocketBase
import RocketSystem
import Testing

@testable import RocketRPC

@Suite("The cache of a channel's token")
struct TokenCacheTests {
    /// The cache, as an object: conditions of tests can't change a value.
    private final class Cache {
        private var value = TokenCache<Int>()

        func next(_ waiter: Int, now: MonotonicTime) -> (step: TokenCache<Int>.Step, fetch: Int?) {
            value.next(waiter, now: now)
        }

        func fetched(
            _ fetch: Int, _ result: Result<(text: String, lifetime: Duration), RPCError>,
            now: MonotonicTime
        ) -> (waiters: [Int], outcome: Result<String, RPCError>)? {
            value.fetched(fetch, result, now: now)
        }

        func refused(_ text: String, now: MonotonicTime) { value.refused(text, now: now) }
        func removeWaiter(_ key: Int) { value.removeWaiter(key) }
    }

    private func time(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000) + .seconds(seconds)
    }

    private func token(_ step: TokenCache<Int>.Step) -> String? {
        if case .use(let text) = step { text } else { nil }
    }

    private func fetched(
        _ text: String, for lifetime: Duration
    ) -> Result<(text: String, lifetime: Duration), RPCError> { .success((text, lifetime)) }

    @Test("One fetch serves all calls that wait, in their order")
    func oneFetch() throws {
        let cache = Cache()
        #expect(cache.next(1, now: time(0)).fetch == 1)
        for waiter in 2...5 { #expect(cache.next(waiter, now: time(0)).fetch == nil) }
        let ended = try #require(cache.fetched(1, fetched("a", for: .seconds(100)), now: time(1)))
        #expect(ended.waiters == [1, 2, 3, 4, 5] && (try? ended.outcome.get()) == "a")
        let (step, fetch) = cache.next(6, now: time(90))
        #expect(token(step) == "a" && fetch == nil)
    }

    @Test("Shortly before it expires the token is fetched again, and used meanwhile")
    func refresh() throws {
        let cache = Cache()
        _ = cache.next(1, now: time(0))
        _ = cache.fetched(1, fetched("a", for: .seconds(100)), now: time(0))
        #expect(cache.next(2, now: time(89.9)).fetch == nil)
        #expect(cache.next(2, now: time(90)).fetch == 2)
        #expect(token(cache.next(2, now: time(99)).step) == "a")
        #expect(token(cache.next(2, now: time(100)).step) == nil)
        let ended = try #require(
            cache.fetched(2, fetched("b", for: .seconds(1000)), now: time(101)))
        #expect(ended.waiters == [2])
        // The margin is 30 s at most.
        #expect(cache.next(3, now: time(101 + 969)).fetch == nil)
        #expect(cache.next(3, now: time(101 + 970)).fetch == 3)
    }

    @Test("A failure ends the calls that wait, and those of the next second")
    func failure() throws {
        let cache = Cache()
        _ = cache.next(1, now: time(0))
        let ended = try #require(
            cache.fetched(1, .failure(RPCError(.unavailable, "no")), now: time(0)))
        #expect(throws: RPCError.self) { try ended.outcome.get() }
        guard case .fail(let error) = cache.next(2, now: time(0.9)).step else {
            Issue.record("the call waits")
            return
        }
        #expect(error.code == .unavailable)
        #expect(cache.next(3, now: time(1)).fetch == 2)
    }

    @Test("A failed refresh keeps the token, and is tried again after a second")
    func failedRefresh() {
        let cache = Cache()
        _ = cache.next(1, now: time(0))
        _ = cache.fetched(1, fetched("a", for: .seconds(100)), now: time(0))
        _ = cache.next(1, now: time(95))
        _ = cache.fetched(2, .failure(RPCError(.unavailable, "no")), now: time(95))
        let (step, fetch) = cache.next(1, now: time(95.5))
        #expect(token(step) == "a" && fetch == nil)
        #expect(cache.next(1, now: time(96)).fetch == 3)
    }

    @Test("A token that has expired when it arrives is a failure")
    func expired() throws {
        let cache = Cache()
        _ = cache.next(1, now: time(0))
        let ended = try #require(cache.fetched(1, fetched("a", for: .zero), now: time(0)))
        #expect(throws: RPCError.self) { try ended.outcome.get() }
    }

    @Test("The result of a fetch that has ended already is ignored")
    func lateResult() {
        let cache = Cache()
        _ = cache.next(1, now: time(0))
        _ = cache.fetched(1, .failure(RPCError(.unauthenticated, "late")), now: time(30))
        #expect(cache.fetched(1, fetched("a", for: .seconds(1)), now: time(31)) == nil)
        #expect(cache.next(2, now: time(31)).fetch == 2)
    }

    @Test("A refused token is fetched again, unless it has just been")
    func refused() {
        let cache = Cache()
        _ = cache.next(1, now: time(0))
        _ = cache.fetched(1, fetched("a", for: .seconds(100)), now: time(0))
        cache.refused("a", now: time(0.9))
        cache.refused("b", now: time(50))
        #expect(token(cache.next(2, now: time(50)).step) == "a")
        cache.refused("a", now: time(50))
        #expect(cache.next(3, now: time(50)).fetch == 2)
    }

    @Test("At most 16,384 calls wait; one that has ended waits no longer")
    func limit() {
        let cache = Cache()
        var first = 0
        for waiter in 0..<16_384 {
            guard case .wait(let key) = cache.next(waiter, now: time(0)).step else {
                Issue.record("call \(waiter) does not wait")
                return
            }
            if waiter == 0 { first = key }
        }
        guard case .fail(let error) = cache.next(0, now: time(0)).step else {
            Issue.record("a call waits beyond the limit")
            return
        }
        #expect(error.code == .resourceExhausted)
        cache.removeWaiter(first)
        if case .fail = cache.next(0, now: time(0)).step { Issue.record("there is room") }
    }
}
