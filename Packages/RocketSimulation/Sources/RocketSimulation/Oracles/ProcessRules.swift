import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP

/// What one part of a process is checked for. Bound to the world's thread.
protocol ProcessRules: AnyObject {
    /// Returns a rule that is broken now; nil: none. Called after each tick of the process.
    func violation() -> Violation?
    /// What is left of the part after its process has ended it; nil: nothing.
    var leftover: String? { get }
    /// Whether it answers a call.
    var isBusy: Bool { get }
}

// SAFETY: confined to the world's thread: its calls are served on loops of its host.

/// The limits of one server, and what holds while it drains: counted by an interceptor and by the
/// sockets of its host, not by the counters of the server.
final class ServerRules: ProcessRules, @unchecked Sendable {
    let host: Host
    private let process: HostProcess
    private let port: UInt16
    private let calls: RPCCallLimits
    private let tcp: TCPServerConfiguration
    /// The server's own budget; nil: one that it may share.
    private let budget: ByteBudget?
    /// Set once it exists.
    weak var server: RPCServer?
    /// Calls whose handlers run.
    private var running = 0
    private var runningByConnection: [ObjectIdentifier: Int] = [:]
    /// When it was seen first that the server drains.
    private var drainsSince: MonotonicTime?

    /// How long after an event all calls know of it, pauses of the host aside.
    private static let delay = Duration.milliseconds(1)

    init(
        _ configuration: RPCServerConfiguration, on host: Host, of process: HostProcess,
        port: UInt16, budget: ByteBudget
    ) {
        self.host = host
        self.process = process
        self.port = port
        calls = configuration.limits
        tcp = configuration.tcp
        self.budget = budget === configuration.tcp.budget ? budget : nil
    }

    var isBusy: Bool { running > 0 }

    func violation() -> Violation? {
        if let server {
            if drainsSince == nil, server.state == .draining { drainsSince = host.world.now }
            if server.dispatcher.statistics.brokenStreams > 0 {
                return Violation(
                    rule: .stream, text: "\(host.name) has received a frame that is invalid")
            }
        }
        if let budget, budget.heldBytes < 0 {
            return Violation(
                rule: .limit, text: "\(host.name) holds \(budget.heldBytes) bytes of its budget")
        }
        let mostPerPeer = tcp.maxConnectionsPerPeer ?? .max
        // Few hosts have as many sockets, and counting them costs more than the tick.
        if host.kernel.socketCount <= min(tcp.maxConnections, mostPerPeer) { return nil }
        let connections = host.kernel.connections(acceptedOn: port)
        if connections.count > tcp.maxConnections {
            return over("\(connections.count) connections", tcp.maxConnections)
        }
        for connection in connections {
            let count = connections.count { $0.peer?.host === connection.peer?.host }
            if count > mostPerPeer { return over("\(count) connections of a peer", mostPerPeer) }
        }
        return nil
    }

    private func over(_ count: String, _ limit: Int) -> Violation {
        Violation(rule: .limit, text: "\(host.name) has \(count), the most are \(limit)")
    }

    var leftover: String? {
        if running > 0 { return "\(host.name): \(running) handlers" }
        if let budget, budget.heldBytes != 0 {
            return "\(host.name): \(budget.heldBytes) bytes of a budget"
        }
        return nil
    }

    /// A call has been accepted, and may wait from now on.
    ///
    /// - Returns: what `handlerEnded` is passed; nil: the call does not count.
    func handlerBegan(_ call: RPCController) -> ObjectIdentifier? {
        // Calls of the server's own services are accepted while it drains, and have own limits.
        guard process.isAlive, !call.method.hasPrefix("rocket."), let connection = call.connection
        else { return nil }
        running += 1
        let count = runningByConnection[connection, default: 0] + 1
        runningByConnection[connection] = count
        if count > calls.maxCallsPerConnection {
            report(over("\(count) calls of a connection in flight", calls.maxCallsPerConnection))
        }
        if running > calls.maxCalls {
            report(over("\(running) calls in flight", calls.maxCalls))
        }
        if let drainsSince, host.world.now > host.unpaused(drainsSince) + Self.delay {
            report(
                Violation(
                    rule: .drain,
                    text: "\(host.name) begins a call, though it drains since "
                        + "\(seconds(host.world.now - drainsSince)) s"))
        }
        return connection
    }

    /// - Parameters:
    ///   - deadline: of the call.
    ///   - end: when the call's connection was closed; nil: it is open.
    ///   - isAwaited: whether its caller is known to wait for it.
    func handlerEnded(
        _ connection: ObjectIdentifier?, deadline: MonotonicTime?, end: MonotonicTime?,
        isAwaited: Bool
    ) {
        guard let connection else { return }
        if process.isAlive, Task.isCancelled, isAwaited, end == nil, server?.state == .running,
            deadline.map({ $0 > host.world.now }) ?? true
        {
            report(
                Violation(
                    rule: .callEnds,
                    text: "\(host.name): a handler was cancelled, though its caller waits for it"))
        }
        checkCancelled(after: deadline, "deadline", .deadline)
        checkCancelled(after: end, "connection's end", .callEnds)
        running -= 1
        let left = runningByConnection[connection, default: 1] - 1
        runningByConnection[connection] = left == 0 ? nil : left
    }

    private func checkCancelled(
        after time: MonotonicTime?, _ event: String, _ rule: Violation.Rule
    ) {
        guard process.isAlive, !Task.isCancelled, let time,
            host.world.now > host.unpaused(time) + Self.delay
        else { return }
        report(
            Violation(
                rule: rule,
                text: "\(host.name): a handler was not cancelled, but ended "
                    + "\(seconds(host.world.now - time)) s after its \(event)"))
    }

    private func report(_ violation: Violation) {
        host.world.violated(violation.rule, violation.text)
    }
}

/// The limits of one channel, and the replies that it drops.
final class ChannelRules: ProcessRules {
    private let host: Host
    private let channel: RPCChannel
    private let mostInFlight: Int

    init(_ channel: RPCChannel, _ configuration: RPCChannelConfiguration, on host: Host) {
        self.host = host
        self.channel = channel
        mostInFlight = configuration.maxCallsInFlight
    }

    var isBusy: Bool { false }

    func violation() -> Violation? {
        let statistics = channel.statistics
        if statistics.callsInFlight > mostInFlight {
            return Violation(
                rule: .limit,
                text: "\(host.name): a channel has \(statistics.callsInFlight) calls in flight, "
                    + "the most are \(mostInFlight)")
        }
        if statistics.duplicateReplies > 0 {
            return Violation(
                rule: .reply, text: "\(host.name) has received a second reply to one call")
        }
        if statistics.brokenStreams > 0 {
            return Violation(
                rule: .stream, text: "\(host.name) has received a reply that is invalid")
        }
        return nil
    }

    var leftover: String? {
        let count = channel.statistics.callsInFlight
        return count == 0 ? nil : "\(host.name): \(count) calls of a closed channel"
    }
}
