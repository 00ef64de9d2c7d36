import Foundation
import OrderStore
import RocketReactor
import RocketReactorTestKit
import RocketSimulation
import RocketSystem
import SimulatedOrderStore
import Testing

/// A host with a store, in virtual time, on the test's own thread: clients send orders at random, and
/// the host ends at random. What happens follows from the seed.
final class StoreHost {
    let disk = SimulatedDisk()
    let ledger = OrderLedger()
    let hand: HandDrivenLoop
    let files: SimulatedOrderStore
    var generator: SeededGenerator
    private(set) var store: OrderStore?
    private(set) var events = EventLog()
    private let calls = CallCount()
    private var draftCount = 0
    /// Drafts with keys that were sent, and may be sent again.
    private var keyed: [OrderDraft] = []
    /// The size of goods at most.
    var goodsBytes = 40

    init(seed: UInt64) throws {
        generator = SeededGenerator(seed: seed)
        hand = try HandDrivenLoop()
        files = try SimulatedOrderStore(
            on: disk, folder: NSTemporaryDirectory() + "simulated-store-" + UUID().uuidString)
    }

    deinit { files.removeFiles() }

    // MARK: Processes

    /// - Throws: `OrderStoreError`, also if the disk stops meanwhile.
    func open(_ configure: (inout OrderStoreConfiguration) -> Void = { _ in }) throws {
        events = EventLog()
        store = try files.open(
            on: hand.loop, time: hand.clock, using: &generator, observe: events.observe,
            configure: configure)
    }

    func kill() {
        store = nil
        files.kill()
        settle()
    }

    func losePower() {
        store = nil
        files.losePower(using: &generator)
        settle()
    }

    func close() {
        run { [store] in await store?.close() }
        runUntilIdle()
        if !disk.isStopped { store = nil }
    }

    // MARK: Calls

    /// Sends an order: a new one, or one with a key again.
    func send() {
        guard let store else { return }
        let draft = nextDraft()
        run { [ledger] in try? await ledger.make(draft, in: store) }
    }

    /// Reads all orders and compares them with what callers know. Nothing else is in flight.
    func compare() {
        guard let store else { return }
        run { [ledger] in try? await ledger.compare(with: store) }
        runUntilIdle()
    }

    private func nextDraft() -> OrderDraft {
        if let draft = keyed.randomElement(using: &generator), generator.chance(0.3) {
            return draft
        }
        draftCount += 1
        let bytes = Int.random(in: 0...goodsBytes, using: &generator)
        var draft = OrderDraft(
            price: Int32.random(in: 1...1000, using: &generator),
            goods: "\(draftCount):" + String(repeating: "x", count: bytes))
        if generator.chance(0.5) {
            draft.idempotencyKey = "key \(draftCount)"
            keyed.append(draft)
        }
        return draft
    }

    func run(_ body: @escaping @Sendable () async -> Void) {
        calls.add(1)
        Task(executorPreference: hand.loop) { [calls] in
            await body()
            calls.add(-1)
        }
    }

    // MARK: Time

    /// Lets virtual time pass, and sends so many orders in it.
    func run(for duration: Duration, sending count: Int = 0) {
        let steps = Int(duration / .milliseconds(1))
        let times = (0..<count).map { _ in Int.random(in: 0..<max(1, steps), using: &generator) }
            .sorted()
        var next = times[...]
        for step in 0..<steps where !disk.isStopped {
            while next.first == step {
                next.removeFirst()
                send()
            }
            hand.tick(after: .milliseconds(1))
        }
    }

    /// Runs until all calls have ended or the disk has stopped.
    func runUntilIdle() {
        for _ in 0..<20_000 where calls.value > 0 && !disk.isStopped {
            hand.tick(after: .milliseconds(1))
        }
    }

    /// Lets the calls of a process that has ended return.
    private func settle() {
        for _ in 0..<20 { hand.tick(after: .milliseconds(1)) }
        #expect(calls.value == 0)
    }
}

/// A number of calls. Any thread.
private final class CallCount: Sendable {
    private let count = Locked(0)
    var value: Int { count.withLock { $0 } }
    func add(_ number: Int) { count.withLock { $0 += number } }
}

/// The events of one process. Any thread.
final class EventLog: Sendable {
    private let events = Locked<[OrderStoreEvent]>([])
    var all: [OrderStoreEvent] { events.withLock { $0 } }
    @Sendable func observe(_ event: OrderStoreEvent) { events.withLock { $0.append(event) } }
}
