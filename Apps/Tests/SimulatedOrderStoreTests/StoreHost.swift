import OrderStore
import OrderStoring
import RocketSimulation
import RocketSystem
import SimulatedOrderStore

/// A host with a store in a world of its own. Its callers are tasks of the host: they send orders at
/// random, and know over all of its processes what was acknowledged. What happens follows from the
/// seed.
final class StoreHost {
    /// How a process ends.
    enum End { case kill, powerLoss, either }

    let world: World
    let host: Host
    let place: SimulatedOrderStore
    let history = OrderHistory()
    var random: SeededGenerator
    private let process = Process()
    private var draftCount = 0
    /// Drafts with keys that were sent, and may be sent again.
    private(set) var keyed: [OrderDraft] = []
    /// The size of goods at most.
    var goodsBytes = 40

    /// What its present process has.
    private final class Process {
        var opens = false
        var store: OrderStore?
        /// Calls that have not ended.
        var calls = CallCount()
    }

    /// Makes a host without a process.
    ///
    /// - Parameter configure: changes the configuration of the store.
    init(
        seed: UInt64, configure: @escaping (inout OrderStoreConfiguration) -> Void = { _ in }
    ) throws {
        world = World(seed: seed)
        random = world.generator("test")
        place = try SimulatedOrderStore()
        host = try world.host("store") { [process, place] host in
            guard process.opens else { return }
            process.calls = CallCount()
            do { process.store = try place.open(on: host, configure: configure) } catch {
                if !host.disk.isStopped { throw error }
            }
        }
        host.kill()
        process.opens = true
    }

    // MARK: Processes

    /// Starts the process.
    ///
    /// - Parameter operations: it ends in the middle of the disk's operation behind so many; nil: by
    ///   `end` only.
    func start(endsBehind operations: Int? = nil, by kind: End = .either) throws {
        if let operations { endProcess(behind: operations, by: kind) }
        try host.start()
    }

    /// Ends the process in the middle of the disk's operation behind so many further ones.
    func endProcess(behind operations: Int, by kind: End) {
        host.disk.stop(afterOperations: operations) { [self] in
            world.schedule(after: .zero) { [self] in end(by: kind) }
        }
    }

    func end(by kind: End = .either) {
        process.store = nil
        if kind == .kill || kind == .either && random.chance(0.4) { return host.kill() }
        host.losePower()
    }

    /// Closes the store, unless its process ends meanwhile, and ends the process.
    func close() throws {
        call { await $0.close() }
        try runUntilIdle()
        end(by: .kill)
    }

    // MARK: Calls

    /// Sends orders at random times within a duration, some with keys, some of those again.
    func send(_ count: Int, within span: Duration) {
        for _ in 0..<count {
            let draft = nextDraft()
            world.schedule(after: random.duration(in: .zero...span)) { [self] in make(draft) }
        }
    }

    /// Sends an order. Nothing happens without a process.
    func make(_ draft: OrderDraft) {
        call { [history] store in
            history.sent(draft)
            let order = try await store.make(draft)
            history.answered(order.id.description, to: draft)
            history.saw(SeenOrder(order))
        }
    }

    /// Reads all orders and compares them with what callers know. Nothing else is in flight.
    func compare() throws {
        call { [history] store in
            var orders: [SeenOrder] = []
            var token: OrderPageToken? = .start
            while let from = token {
                let page = try await store.orders(from: from, limit: 50)
                orders += page.orders.map { SeenOrder($0) }
                token = page.next
            }
            history.compare(with: orders)
        }
        try runUntilIdle()
    }

    private func nextDraft() -> OrderDraft {
        if let draft = keyed.randomElement(using: &random), random.chance(0.3) { return draft }
        draftCount += 1
        let bytes = Int.random(in: 0...goodsBytes, using: &random)
        var draft = OrderDraft(
            price: Int32.random(in: 1...1000, using: &random),
            goods: "\(draftCount):" + String(repeating: "x", count: bytes))
        if random.chance(0.5) {
            draft.idempotencyKey = "key \(draftCount)"
            keyed.append(draft)
        }
        return draft
    }

    /// Runs a call, which may fail.
    private func call(_ body: @escaping @Sendable (OrderStore) async throws -> Void) {
        guard host.isRunning, let store = process.store else { return }
        let calls = process.calls
        calls.add(1)
        host.run {
            try? await body(store)
            calls.add(-1)
        }
    }

    /// Runs the world until all calls have ended, or the process has.
    func runUntilIdle() throws {
        try world.run(atMost: .seconds(60)) { !host.isRunning || process.calls.value == 0 }
    }
}

/// A number of calls. Any thread.
private final class CallCount: Sendable {
    private let count = Locked(0)
    var value: Int { count.withLock { $0 } }
    func add(_ number: Int) { count.withLock { $0 += number } }
}
