import RocketSystem
import Testing

@testable import OrderStore

/// When the writer takes its next batch, as a value.
struct BatchGatheringTests {
    private func time(_ microseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 0) + .microseconds(microseconds)
    }

    /// After a commit from 0 to 800 us: parts of 100 us.
    private func gathering(_ orders: Int, waiting: Int, maxBatch: Int = 4096) -> BatchGathering {
        var gathering = BatchGathering()
        gathering.committed(
            orders, waiting: waiting, maxBatch: maxBatch, began: time(0), at: time(800))
        return gathering
    }

    @Test("Without a commit before, a batch is taken at once")
    func first() {
        var gathering = BatchGathering()
        #expect(!gathering.isWaiting)
        #expect(gathering.next(waiting: 1, at: time(0)) == nil)
    }

    @Test("The one caller that there is does not wait")
    func single() {
        var gathering = gathering(1, waiting: 0)
        // Asleep until it comes.
        #expect(gathering.next(waiting: 0, at: time(800)) == nil)
        #expect(gathering.next(waiting: 1, at: time(850)) == nil)
        #expect(!gathering.isWaiting)
    }

    @Test("The orders of all callers that return are one batch")
    func all() {
        var gathering = gathering(8, waiting: 8)
        #expect(gathering.next(waiting: 9, at: time(800)) == time(900))
        #expect(gathering.next(waiting: 12, at: time(900)) == time(1000))
        #expect(gathering.next(waiting: 16, at: time(1000)) == nil)
        #expect(!gathering.isWaiting)
    }

    @Test("A full batch is taken at once", arguments: [16, 17, 100])
    func full(waiting: Int) {
        // It was there at the end of the commit, or is when the first callers have returned.
        for before in [waiting, 15] {
            var gathering = gathering(16, waiting: before, maxBatch: 16)
            #expect(gathering.next(waiting: waiting, at: time(800)) == nil)
            #expect(!gathering.isWaiting)
        }
        var almost = gathering(16, waiting: 14, maxBatch: 16)
        #expect(almost.next(waiting: 15, at: time(800)) == time(900))
    }

    @Test("Callers that do not return are waited for during one part")
    func none() {
        var gathering = gathering(8, waiting: 3)
        #expect(gathering.next(waiting: 3, at: time(800)) == time(900))
        #expect(gathering.next(waiting: 3, at: time(900)) == nil)
        #expect(!gathering.isWaiting)
    }

    @Test("Orders that come as they did during the commit are no callers that return")
    func steady() {
        // One in each part.
        var gathering = gathering(8, waiting: 8)
        #expect(gathering.next(waiting: 8, at: time(800)) == time(900))
        #expect(gathering.next(waiting: 9, at: time(900)) == nil)
    }

    @Test("The wait is no longer than the commit was")
    func longest() {
        var gathering = gathering(1000, waiting: 0)
        var now = time(800)
        var waiting = 1
        while let next = gathering.next(waiting: waiting, at: now) {
            #expect(next > now)
            now = next
            waiting += 10
        }
        #expect(now == time(1600))
        // Callers that come back later than that find a writer that waits for nothing.
        var late = self.gathering(1000, waiting: 0)
        #expect(late.next(waiting: 0, at: time(800)) == nil)
        #expect(late.next(waiting: 1, at: time(1600)) == nil)
    }

    @Test(
        "After a commit that took seconds, the wait is milliseconds; after a very short one, none")
    func limits() {
        var gathering = BatchGathering()
        gathering.committed(10, waiting: 0, maxBatch: 64, began: time(0), at: time(8_000_000))
        #expect(gathering.next(waiting: 1, at: time(8_000_000)) == time(8_000_625))
        #expect(gathering.next(waiting: 2, at: time(8_005_000)) == nil)
        gathering.committed(10, waiting: 0, maxBatch: 64, began: time(0), at: time(99))
        #expect(!gathering.isWaiting)
        // A clock that was set back, or stands.
        gathering.committed(10, waiting: 5, maxBatch: 64, began: time(9), at: time(9))
        #expect(!gathering.isWaiting)
    }
}
