@_spi(Simulation) import ChatServerKit
import RocketBase
public import RocketSimulation
import RocketSystem
import RocketTCP

extension Scenario {
    /// A chat server with two or three loops, and clients on two to four hosts, while everything
    /// goes wrong: the client of the product, and others that read slowly or not at all, send
    /// messages in parts, and reset their connections. Then all is well: all users are back, each
    /// one's messages reach all others, and a drain loses none.
    public static let chat = Scenario(name: "chat") { world, faults in
        try ChatWorld(world).run(faults)
    }
}

/// The hosts of the scenario, and its phases. Bound to the world's thread.
private final class ChatWorld {
    private let world: World
    private var random: SeededGenerator
    private let service: ChatService
    /// Those of the start, and those of a reload.
    private var limits: [ChatLimits]
    private let history: ChatHistory
    private var hosts: [Host] = []
    private var userCount = 0
    /// When all users send a file.
    private let fileAt: Duration?

    /// In which faults happen, and users do what they like.
    private static let span = Duration.seconds(15)

    init(_ world: World) {
        self.world = world
        random = world.generator("chat")
        var configuration = ChatServerConfiguration(listen: [])
        configuration.chooseLimits(using: &random)
        limits = [configuration.limits]
        if random.chance(0.3) { limits.append(configuration.otherLimits(using: &random)) }
        service = ChatService(configuration, others: limits)
        fileAt = random.chance(0.3) ? random.duration(in: .seconds(1)...Self.span) : nil
        history = ChatHistory(world, ChatRules(limits))
    }

    func run(_ faults: Scenario.Faults) throws {
        try addServer()
        for number in 0..<Int.random(in: 2...4, using: &random) { try addClients(number) }
        let plan = Fault.plan(
            Int.random(in: 0...10, using: &random), hosts: hosts.count, within: Self.span,
            using: &random)
        history.expect(plan)
        reloadLimits()
        let end = faults.apply(plan, to: world, hosts: hosts)
        try world.run(for: max(end, Self.span) + ChatHistory.settlingTime)
        try everyoneReturns()
        try drain()
        try world.close()
    }

    // MARK: Hosts

    private func addServer() throws {
        let service = service
        let sendBuffer = Int.random(in: 4...64, using: &random) << 10
        hosts.append(
            try world.host("chat") { host in
                host.socketLimits.sendBufferBytes = sendBuffer
                service.start(on: host)
            })
    }

    private func addClients(_ number: Int) throws {
        let first = userCount
        let kinds = (0..<Int.random(in: 2...3, using: &random)).map { _ in
            (client: random.chance(0.6) ? ChatUser.Client.real : .raw, seed: random.next())
        }
        userCount += kinds.count
        let receiveBuffer = Int.random(in: 4...64, using: &random) << 10
        let hasSlowLink = random.chance(0.15)
        let fileAt = fileAt
        let (history, server, maxBytes) = (history, hosts[0], limits[0].maxMessageBytes)
        let host = try world.host("clients\(number)") { host in
            host.socketLimits.receiveBufferBytes = receiveBuffer
            for (offset, kind) in kinds.enumerated() {
                let user = ChatUser(
                    number: first + offset, host: host, loop: host.loop,
                    server: server.address(port: 80), history: history, client: kind.client,
                    maxMessageBytes: maxBytes, hasSlowLink: hasSlowLink,
                    fileAt: fileAt, busyUntil: Self.span, seed: kind.seed &+ host.starts)
                host.run { await user.run() }
            }
        }
        if hasSlowLink {
            var link = LinkConditions()
            link.bytesPerSecond = Int.random(in: 20...200, using: &random) << 10
            link.latency = .milliseconds(5)...(.milliseconds(100))
            world.link(server, host, link)
        }
        hosts.append(host)
    }

    // MARK: Phases

    /// Changes the limits to and fro while the server runs.
    private func reloadLimits() {
        if limits.count == 1 { return }
        let service = service
        for number in 1...4 {
            let next = limits[number % 2]
            world.schedule(after: random.duration(in: .zero...Self.span)) { service.update(next) }
        }
    }

    /// Waits for a condition that has to hold within some time, now that nothing goes wrong.
    private func wait(_ limit: Duration, for text: String, _ condition: () -> Bool) throws {
        let end = world.elapsed + limit
        while !condition() {
            if world.elapsed >= end {
                world.violated(
                    .liveness,
                    "\(text) \(limit) later; \(service.sessionCount) sessions, \(history.usersUp) of "
                        + "\(userCount) users are connected, \(history.pairsReached) pairs")
            }
            try world.run(for: .milliseconds(100))
        }
    }

    /// All users are connected again, once each, and receive messages of each other.
    private func everyoneReturns() throws {
        let (count, service, history) = (userCount, service, history)
        try wait(.seconds(120), for: "not every user is back") {
            history.usersUp == count && service.sessionCount == count
        }
        history.beginReaching()
        // Three users behind one slow link may have 512 KiB each before the first new message.
        try wait(.seconds(180), for: "not every user has received messages of each other one") {
            history.pairsReached == count * (count - 1)
        }
    }

    /// The server ends in order, while messages are on their way.
    private func drain() throws {
        let start = world.elapsed
        service.beginDrain()
        try wait(.seconds(30), for: "the server has not drained") { !service.isRunning }
        try world.run(for: .seconds(2))
        history.checkDrain(since: start)
        if service.heldBytes != 0 {
            world.violated(.leftover, "\(service.heldBytes) bytes are held after the drain")
        }
    }
}

extension ChatServerConfiguration {
    /// Small limits, so that they are reached.
    fileprivate mutating func chooseLimits(using random: inout SeededGenerator) {
        tcp.listen = [NetAddress(.ipv4(bits: 0x0A00_0001, port: 80))]
        ioThreads = Int.random(in: 2...3, using: &random)
        tcp.maxConnections = random.chance(0.3) ? 18 : 1000
        tcp.budget = ByteBudget(limitBytes: Int.random(in: 1...8, using: &random) << 20)
        tcp.connection.highWaterMarkBytes = Int.random(in: 4...256, using: &random) << 10
        tcp.connection.lowWaterMarkBytes = tcp.connection.highWaterMarkBytes / 4
        tcp.connection.writeTimeout = random.duration(in: .seconds(5)...(.seconds(60)))
        limits.maxMessageBytes = random.chance(0.3) ? 1000 : 64 << 10
        limits = otherLimits(using: &random)
    }

    /// The limits that may change while it runs, chosen anew.
    fileprivate func otherLimits(using random: inout SeededGenerator) -> ChatLimits {
        var limits = limits
        limits.queueBytes = Int.random(in: 2...256, using: &random) << 10
        limits.slowReceiver = random.chance(0.7) ? .dropOldest : .disconnect
        if random.chance(0.5) {
            limits.messagesPerSecond = Int.random(in: 20...50, using: &random)
            limits.messageBurst = Int.random(in: 5...60, using: &random)
        }
        return limits
    }
}

extension ChatRules {
    /// The rules that hold whichever of these limits are in force.
    fileprivate init(_ all: [ChatLimits]) {
        let rates = all.map(\.messagesPerSecond)
        self.init(
            maxMessageBytes: all.map(\.maxMessageBytes).max() ?? 0,
            leastPerSecond: rates.min() ?? 0, messagesPerSecond: rates.max() ?? 0,
            messageBurst: all.map(\.messageBurst).max() ?? 0)
    }
}
