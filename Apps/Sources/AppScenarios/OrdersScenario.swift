import OrderServerKit
import OrderStore
import OrderStoring
import RocketRPC
public import RocketSimulation
import RocketSystem
import SimulatedOrderStore

extension Scenario {
    /// A host that serves orders from a store on its disk, and one to three clients that make orders,
    /// repeat them by their keys until they are acknowledged, find and list them, while everything
    /// goes wrong: also the disk, which fails, is full, and ends the server in the middle of an
    /// operation. Then all is well: each acknowledged order is on disk exactly once, with its number
    /// and contents, also after a last loss of power. One or two further clients watch the orders: each
    /// of them receives each order once.
    public static let orders = Scenario(name: "orders") { world, faults in
        try OrderWorld(world).run(faults)
    }
}

/// One run of `Scenario.orders`. Bound to the world's thread.
private final class OrderWorld {
    private let world: World
    private let history = OrderHistory()
    private let place: SimulatedOrderStore
    private let server: Host
    private var clients: [Host] = []
    private var watchers: [Host] = []
    private var followers: [OrderFollower] = []
    private let tasks = ClientTasks()
    private var random: SeededGenerator

    /// How long clients send orders.
    private static let span = Duration.seconds(10)

    init(_ world: World) throws {
        self.world = world
        random = world.generator("orders")
        place = try SimulatedOrderStore()
        let ioThreads = Int.random(in: 1...2, using: &random)
        server = try world.host("server") { [place] host in
            try Self.boot(host, place, ioThreads: ioThreads)
        }
        for number in 0..<Int.random(in: 1...3, using: &random) {
            clients.append(try client(number, seed: random.next()))
        }
        for number in 0..<Int.random(in: 1...2, using: &random) {
            watchers.append(try watcher(number, seed: random.next()))
        }
    }

    func run(_ faults: Scenario.Faults) throws {
        world.always(.durability) { [history] in history.violations.first }
        let hosts = [server] + clients + watchers
        let planned = Fault.plan(
            Int.random(in: 0...10, using: &random), hosts: hosts.count, within: Self.span,
            using: &random)
        let end = faults.apply(planned, to: world, hosts: hosts)
        for _ in 0..<Int.random(in: 0...5, using: &random) { planDiskFault() }
        try world.run(for: max(end, Self.span + Self.longestDiskFault))
        try world.run(atMost: .seconds(60)) { tasks.haveEnded }
        // Nothing is on its way any more that was sent before.
        try world.run(for: .seconds(5))
        try readBack(repeatingKeys: 20)
        try compareFollowers()
        server.losePower()
        try server.start()
        try readBack(repeatingKeys: 0)
        try world.close()
        let report = try OrderStore.checkIntegrity(ofFileAt: place.path)
        if !report.isSound || report.orders != history.orderCount {
            world.violated(.durability, "\(history.orderCount) orders were seen; \(report)")
        }
        try world.run(for: .zero)
    }

    // MARK: The server

    private static func boot(_ host: Host, _ place: SimulatedOrderStore, ioThreads: Int) throws {
        let store: OrderStore
        do {
            store = try place.open(on: host) {
                // The calendar is set forward by days.
                $0.keyRetention = .seconds(365 * 86_400)
            }
        } catch {
            if host.disk.isStopped { return }
            guard host.disk.isFaulty else { throw error }
            // As its service manager does.
            host.world.schedule(after: .zero) { host.kill() }
            return restart(host, after: .seconds(1))
        }
        try host.serve([OrderHandler(logic: OrderLogic(store: store))], port: 80) {
            $0.ioThreads = ioThreads
        } afterwards: {
            await store.close()
        }
    }

    private static func restart(_ host: Host, after delay: Duration) {
        host.world.schedule(after: delay) {
            do { try host.start() } catch {
                host.world.violated(.task, "\(host.name) can't be started again: \(error)")
            }
        }
    }

    // MARK: The server's disk

    /// Something that goes wrong with the server's disk.
    private enum DiskFault: String, CaseIterable {
        case failsWrites, failsSyncs, dropsWhatIsNotSynced, isFull, endsProcess, endsMachine
    }

    private static let longestDiskFault = Duration.seconds(3)

    /// Lets the disk have a fault at some time, and be well again later.
    private func planDiskFault() {
        let fault = DiskFault.allCases[Int.random(in: 0..<6, using: &random)]
        let start = random.duration(in: .zero...Self.span)
        let duration = random.duration(in: .milliseconds(1)...Self.longestDiskFault)
        let operations = Int.random(in: 0...40, using: &random)
        world.schedule(after: start) { [self] in
            world.record("disk") { "disk of the server: \(fault.rawValue) for \(duration)" }
            begin(fault, duration, operations)
            world.schedule(after: duration) { [self] in end(fault) }
        }
    }

    private func begin(_ fault: DiskFault, _ duration: Duration, _ operations: Int) {
        let disk = server.disk
        switch fault {
        case .failsWrites: disk.failsWrites = true
        case .failsSyncs: disk.syncFailure = .keeping
        case .dropsWhatIsNotSynced: disk.syncFailure = .dropping
        case .isFull: disk.freeBytes = operations * 1024
        case .endsProcess, .endsMachine:
            disk.stop(afterOperations: operations) { [world, server] in
                world.schedule(after: .zero) {
                    fault == .endsProcess ? server.kill() : server.losePower()
                }
                Self.restart(server, after: duration)
            }
        }
    }

    private func end(_ fault: DiskFault) {
        switch fault {
        case .failsWrites: server.disk.failsWrites = false
        case .failsSyncs, .dropsWhatIsNotSynced: server.disk.syncFailure = nil
        case .isFull: server.disk.freeBytes = nil
        case .endsProcess, .endsMachine: break
        }
    }

    // MARK: The clients

    private func client(_ number: Int, seed: UInt64) throws -> Host {
        try world.host("client\(number)") { [server, history, tasks] host in
            var random = SeededGenerator(seed: seed &+ host.starts)
            var configuration = RPCChannelConfiguration()
            configuration.poolSize = Int.random(in: 1...2, using: &random)
            configuration.waitsForReady = random.chance(0.5)
            let caller = OrderCaller(
                host: host, history: history,
                channel: try host.channel(to: server, port: 80, configuration: configuration))
            let start = host.starts
            for task in 0..<Int.random(in: 1...3, using: &random) {
                let name = "\(host.name), start \(start), task \(task)"
                let generator = SeededGenerator(seed: random.next())
                tasks.began(of: number, start)
                host.run {
                    try await caller.run(until: Self.span, name, generator)
                    tasks.ended(of: number, start)
                }
            }
        }
    }

    private func watcher(_ number: Int, seed: UInt64) throws -> Host {
        let follower = OrderFollower(history: history)
        followers.append(follower)
        return try world.host("watcher\(number)") { [server] host in
            var random = SeededGenerator(seed: seed &+ host.starts)
            var configuration = RPCChannelConfiguration()
            configuration.waitsForReady = random.chance(0.5)
            let channel = try host.channel(to: server, port: 80, configuration: configuration)
            let generator = SeededGenerator(seed: random.next())
            host.run { try await follower.run(on: host, channel, generator) }
        }
    }

    /// All orders are known: each follower receives those that it does not have yet.
    private func compareFollowers() throws {
        try world.run(atMost: .seconds(60)) { [followers, history] in
            followers.allSatisfy { $0.count >= history.orderCount }
        }
        for problem in followers.compactMap({ $0.problem() }) {
            world.violated(.durability, "a watch: \(problem)")
        }
    }

    /// A client lists all orders, which are compared with what is known, and repeats some of those
    /// with keys.
    private func readBack(repeatingKeys count: Int) throws {
        let isDone = Locked(false)
        let client = clients[0]
        let caller = OrderCaller(
            host: client, history: history, channel: try client.channel(to: server, port: 80))
        client.run { [history] in
            for draft in history.acknowledgedKeys.spread(count) {
                try await caller.make(draft, timeout: .seconds(2))
            }
            history.compare(with: try await caller.listAll())
            isDone.withLock { $0 = true }
        }
        try world.run(atMost: .seconds(60)) { isDone.withLock { $0 } }
    }
}

/// The tasks of clients that have not ended. Any thread.
private final class ClientTasks: Sendable {
    /// By the client: its last start, and the tasks of that.
    private let open = Locked<[Int: (start: UInt64, count: Int)]>([:])

    var haveEnded: Bool { open.withLock { $0.values.allSatisfy { $0.count == 0 } } }

    func began(of client: Int, _ start: UInt64) {
        open.withLock { open in
            let earlier = open[client]
            open[client] = (start, earlier?.start == start ? (earlier?.count ?? 0) + 1 : 1)
        }
    }

    func ended(of client: Int, _ start: UInt64) {
        open.withLock { if $0[client]?.start == start { $0[client]?.count -= 1 } }
    }
}

extension SimulatedDisk {
    /// Whether operations fail that could succeed.
    fileprivate var isFaulty: Bool { failsWrites || syncFailure != nil || freeBytes != nil }
}

extension [OrderDraft] {
    /// Returns up to `count` elements from all over the array.
    fileprivate func spread(_ count: Int) -> [OrderDraft] {
        (0..<Swift.min(count, self.count)).map { self[$0 * self.count / count] }
    }
}
