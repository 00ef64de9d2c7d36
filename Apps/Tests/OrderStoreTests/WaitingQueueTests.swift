import OrderStoring
import RocketSystem
import Testing

@testable import OrderStore

@Suite("WaitingQueue") struct WaitingQueueTests {
    private struct Request: QueuedRequest, Equatable {
        let number: Int
        var source: ObjectIdentifier?
        var occupiesSource = false
        var waitedForPeer = Duration.zero
    }

    /// An object for each connection.
    private final class Connection {
        var id: ObjectIdentifier { ObjectIdentifier(self) }
    }

    /// Takes one request per step.
    private struct Taker: StoreWorker {
        let queue: WaitingQueue<Request>
        let taken: FutexWord
        private var batch: [Request] = []

        init(queue: WaitingQueue<Request>, taken: FutexWord) {
            self.queue = queue
            self.taken = taken
        }

        mutating func step(for handle: any WorkerHandle) -> WorkerStep {
            switch queue.take(upTo: 1, into: &batch, for: handle) {
            case .taken:
                taken.increment()
                taken.wakeAll()
                return .again
            case .empty: return .sleep(until: nil)
            case .finished: return .finished
            }
        }
    }

    private func take(_ limit: Int, from queue: WaitingQueue<Request>) -> [Int] {
        var batch: [Request] = []
        _ = queue.take(upTo: limit, into: &batch, for: Awake())
        return batch.map(\.number)
    }

    @Test("Takes one request of each connection in turn, and those of one in their order")
    func roundRobin() {
        let queue = WaitingQueue<Request>(limit: 100)
        let connections = (0..<3).map { _ in Connection() }
        for number in 0..<6 {
            #expect(queue.append(Request(number: number, source: connections[0].id)) == .accepted)
        }
        _ = queue.append(Request(number: 10, source: connections[1].id))
        _ = queue.append(Request(number: 20, source: connections[2].id))
        _ = queue.append(Request(number: 21, source: connections[2].id))
        #expect(take(4, from: queue) == [0, 10, 20, 1])
        _ = queue.append(Request(number: 11, source: connections[1].id))
        #expect(take(8, from: queue) == [21, 2, 11, 3, 4, 5])
        #expect(queue.count == 0)
    }

    @Test("Requests behind occupied connections are taken after the close in the order of these")
    func closeKeepsOrder() {
        let queue = WaitingQueue<Request>(limit: 1000)
        let connections = (0..<20).map { _ in Connection() }
        for (number, connection) in connections.enumerated() {
            let source = connection.id
            _ = queue.append(Request(number: -1, source: source, occupiesSource: true))
            #expect(take(1, from: queue) == [-1])
            #expect(queue.append(Request(number: number, source: source)) == .accepted)
        }
        queue.close()
        #expect(take(100, from: queue) == Array(0..<20))
    }

    @Test("A single connection fills half of the queue, and leaves room for every other one")
    func share() {
        let queue = WaitingQueue<Request>(limit: 64)
        func fill(_ connection: Connection) -> Int {
            var count = 0
            while queue.append(Request(number: 0, source: connection.id)) == .accepted {
                count += 1
            }
            #expect(
                queue.append(Request(number: 0, source: connection.id)) == .full(waiting: count))
            return count
        }
        let greedy = (0..<5).map { _ in Connection() }
        #expect(greedy.map(fill) == [32, 16, 8, 4, 2])
        let modest = (0..<5).map { _ in Connection() }
        #expect(modest.map(fill) == [1, 1, 1, 1, 1])
    }

    @Test("Connections that stay occupied take no places of the others")
    func stalled() {
        let queue = WaitingQueue<Request>(limit: 1000)
        func fill(_ connection: Connection, occupies: Bool) -> Int {
            var count = 0
            while queue.append(
                Request(number: count, source: connection.id, occupiesSource: occupies))
                == .accepted
            { count += 1 }
            return count
        }
        // Each has one request taken, and 64 behind it, which may be of the other kind.
        let stalled = (0..<100).map { _ in Connection() }
        for connection in stalled {
            #expect(fill(connection, occupies: true) == 64)
            #expect(take(1, from: queue) == [0])
            #expect(fill(connection, occupies: false) == 1)
        }
        #expect(queue.count == 0)
        let reader = Connection()
        #expect(fill(reader, occupies: false) == 500)
        #expect(take(500, from: queue).count == 500)
        // A request that occupies the source does not bring more than 64 with it.
        #expect(fill(reader, occupies: false) == 500)
        let list = Request(number: 0, source: reader.id, occupiesSource: true)
        #expect(queue.append(list) == .full(waiting: 500))
        #expect(take(500, from: queue).count == 500)
        // Once released they count again, and all of them can be taken.
        queue.release(stalled[0].id)
        #expect(queue.count == 64)
        for number in 1..<64 {
            #expect(take(2, from: queue) == [number])
            queue.release(stalled[0].id)
        }
        #expect(take(2, from: queue) == [0])
        queue.close()
        #expect(queue.count == 99 * 64)
        var taken = 0
        while case let batch = take(100, from: queue), !batch.isEmpty { taken += batch.count }
        #expect(taken == 99 * 64 && queue.count == 0)
    }

    @Test("After requests that occupied it a connection has its full share again, as a new one has")
    func shareAfterRelease() {
        let queue = WaitingQueue<Request>(limit: 1000)
        func fill(_ connection: Connection) -> Int {
            (0..<1000).prefix {
                queue.append(Request(number: $0, source: connection.id)) == .accepted
            }.count
        }
        let (first, second) = (Connection(), Connection())
        _ = queue.append(Request(number: 0, source: first.id, occupiesSource: true))
        #expect(take(1, from: queue) == [0])
        _ = queue.append(Request(number: 1, source: first.id))
        queue.release(first.id)
        #expect(fill(first) == 499)
        #expect(take(1000, from: queue).count == 500)
        #expect(fill(second) == 500)
        #expect(take(1000, from: queue).count == 500)
    }

    @Test("Takes nothing more of a connection that is occupied until it is released")
    func occupied() {
        let queue = WaitingQueue<Request>(limit: 100)
        let (first, second) = (Connection(), Connection())
        for number in 0..<3 {
            _ = queue.append(Request(number: number, source: first.id, occupiesSource: true))
        }
        _ = queue.append(Request(number: 10, source: second.id))
        _ = queue.append(Request(number: 11, source: second.id))
        // It ends the batch, too.
        #expect(take(8, from: queue) == [0])
        #expect(take(8, from: queue) == [10, 11])
        #expect(take(8, from: queue) == [])
        queue.release(second.id)
        #expect(take(8, from: queue) == [])
        queue.release(first.id)
        #expect(take(8, from: queue) == [1])
        // The rest is taken when the queue is closed: its callers wait.
        queue.close()
        #expect(take(8, from: queue) == [2])
        queue.release(first.id)
    }

    @Test("A request says how long it has waited for results on their way to its own peer")
    func waitedForPeer() throws {
        let queue = WaitingQueue<Request>(limit: 100)
        let (first, second) = (Connection(), Connection())
        var batch: [Request] = []
        func takeOne() throws -> Request {
            _ = queue.take(upTo: 1, into: &batch, for: Awake())
            return try #require(batch.first)
        }
        for number in 0..<3 {
            _ = queue.append(Request(number: number, source: first.id, occupiesSource: true))
        }
        #expect(try takeOne().waitedForPeer == .zero)
        queue.release(first.id, delivering: .seconds(2))
        _ = queue.append(Request(number: 3, source: first.id))
        _ = queue.append(Request(number: 10, source: second.id))
        #expect(try takeOne().waitedForPeer == .seconds(2))
        queue.release(first.id, delivering: .seconds(3))
        #expect(try takeOne().waitedForPeer == .zero)
        #expect(try takeOne().waitedForPeer == .seconds(5))
        queue.release(first.id, delivering: .seconds(1))
        // It came after the first release.
        #expect(try takeOne().waitedForPeer == .seconds(4))
        _ = queue.append(Request(number: 4, source: first.id))
        #expect(try takeOne().waitedForPeer == .zero)
    }

    @Test("Takes nothing while the results that were not received exceed the limit")
    func heldBytes() {
        let queue = WaitingQueue<Request>(limit: 100, heldLimitBytes: 1000)
        for number in 0..<3 { _ = queue.append(Request(number: number)) }
        queue.hold(bytes: 1000)
        #expect(take(1, from: queue) == [0])
        queue.hold(bytes: 1)
        #expect(take(1, from: queue) == [])
        queue.received(bytes: 1000)
        #expect(take(1, from: queue) == [1])
    }

    @Test("A thread that sleeps is woken by a request, a release, and received results")
    func wakes() async throws {
        let queue = WaitingQueue<Request>(limit: 100, heldLimitBytes: 1000)
        let taken = FutexWord()
        let threads = DatabaseThreads(time: SystemTimeSource())
        try threads.start("taker", Taker(queue: queue, taken: taken))
        func waitUntilTaken(_ count: UInt32) {
            while taken.value < count { taken.wait(while: taken.value, atMost: nil) }
        }
        for number in 0..<2 { _ = queue.append(Request(number: number, occupiesSource: true)) }
        waitUntilTaken(1)
        queue.release(nil)
        waitUntilTaken(2)
        queue.hold(bytes: 1001)
        queue.release(nil)
        _ = queue.append(Request(number: 2))
        queue.received(bytes: 1)
        waitUntilTaken(3)
        queue.close()
        await threads.ended()
    }

    @Test("A worker is woken once for what arrives while it sleeps, and not after it has come back")
    func wakesOnce() {
        let queue = WaitingQueue<Request>(limit: 100)
        let worker = Awake()
        var batch: [Request] = []
        #expect(queue.take(upTo: 8, into: &batch, for: worker) == .empty)
        for number in 0..<3 { _ = queue.append(Request(number: number)) }
        #expect(worker.count == 1)
        #expect(queue.take(upTo: 8, into: &batch, for: worker) == .taken)
        #expect(batch.count == 3)
        // Back before it was woken, as after a time-out.
        #expect(queue.take(upTo: 8, into: &batch, for: worker) == .empty)
        #expect(queue.take(upTo: 8, into: &batch, for: worker) == .empty)
        _ = queue.append(Request(number: 3))
        queue.close()
        #expect(worker.count == 2)
    }

    @Test("Completes a probe on the thread that takes items")
    func probe() throws {
        let queue = WaitingQueue<Request>(limit: 2)
        _ = queue.append(Request(number: 7))
        let completions = Locked(0)
        queue.probe { completions.withLock { $0 += 1 } }
        #expect(completions.withLock { $0 } == 0)
        #expect(take(8, from: queue) == [7])
        #expect(completions.withLock { $0 } == 1)
    }

    @Test("A probe wakes a sleeping thread and is not an item")
    func probeOfSleepingThread() async throws {
        let queue = WaitingQueue<Request>(limit: 1)
        let completed = FutexWord()
        let threads = DatabaseThreads(time: SystemTimeSource())
        try threads.start("taker", Taker(queue: queue, taken: FutexWord()))
        for round in 0..<100 as Range<UInt32> {
            queue.probe {
                completed.increment()
                completed.wakeAll()
            }
            while completed.value == round { completed.wait(while: round, atMost: nil) }
        }
        queue.close()
        await threads.ended()
    }

    @Test("Completes a probe of a closed queue at once")
    func probeOfClosedQueue() {
        let queue = WaitingQueue<Request>(limit: 1)
        queue.close()
        let completions = Locked(0)
        queue.probe { completions.withLock { $0 += 1 } }
        #expect(completions.withLock { $0 } == 1)
    }
}
