public import RocketBase
public import RocketReactor
import RocketSystem
public import RocketTCP
import SwiftProtobuf
import Synchronization

/// Calls to one server: many at the same time, over one connection or a few, from any task.
///
/// Connects when the first call is made, and again when a call needs it. Every call ends exactly
/// once, with its response or an `RPCError`: by reply, deadline, cancellation of its task, or the
/// end of the connection.
public final class RPCChannel: Sendable {
    /// Where it goes, as text: a stub's name or an address.
    public let target: String
    /// Where its connections live. It is a task executor: calls from tasks that prefer it change
    /// no thread on their way.
    ///
    /// ```swift
    /// await withTaskExecutorPreference(channel.loop) { … many calls … }
    /// ```
    public let loop: EventLoop
    let configuration: RPCChannelConfiguration
    @usableFromInline let interceptors: [any RPCInterceptor]
    let time = SystemTimeSource()
    /// `configuration.timeout`.
    let timeoutNanoseconds: UInt64
    private let ownThread: IOThread?
    private let counters = ChannelCounters()
    private let feed = StateBroadcaster()
    private let door: ChannelInbox
    private let visit: @Sendable (Reactor) -> Void
    private let isClosed = Atomic(false)

    /// A channel to an address.
    ///
    /// - Parameters:
    ///   - interceptors: stand around every call, the first one outermost.
    ///   - loop: where its connections live; nil gives it a thread of its own.
    ///   - target: what it is called in errors and logs; nil: the address.
    /// - Throws: `RPCError` CHANNEL_INIT when the thread can't be started.
    public convenience init(
        to address: NetAddress, configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], loop: EventLoop? = nil,
        logger: RocketLogger = .disabled, target: String? = nil
    ) throws(RPCError) {
        try self.init(
            to: [address], configuration: configuration, interceptors: interceptors, loop: loop,
            logger: logger, target: target)
    }

    /// A channel to the first of several addresses that answers. With a pool, its n-th connection
    /// begins with the n-th address: calls are spread over all of them, as long as they answer.
    ///
    /// - Parameters: as above.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR without an address, CHANNEL_INIT when the thread
    ///   can't be started.
    public convenience init(
        to addresses: [NetAddress], configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], loop: EventLoop? = nil,
        logger: RocketLogger = .disabled, target: String? = nil
    ) throws(RPCError) {
        if addresses.isEmpty { throw RPCError(.peerAddress, "there is no address to connect to") }
        try self.init(
            over: TCPConnector(addresses: addresses), configuration: configuration,
            interceptors: interceptors, loop: loop, logger: logger,
            target: target ?? addresses.map(\.description).joined(separator: ","))
    }

    /// A channel over any kind of transport.
    init(
        over connector: any Connector, configuration: RPCChannelConfiguration,
        interceptors: [any RPCInterceptor], loop: EventLoop?, logger: RocketLogger, target: String
    ) throws(RPCError) {
        self.target = target
        self.configuration = configuration
        timeoutNanoseconds = UInt64(max(0, configuration.timeout.wholeNanoseconds))
        self.interceptors = interceptors
        let ownThread = loop == nil ? try Self.startThread() : nil
        self.ownThread = ownThread
        guard let loop = loop ?? ownThread?.loop else {
            preconditionFailure("a channel has a loop, given or its own")
        }
        self.loop = loop
        let (counters, feed) = (counters, feed)
        let door = ChannelInbox(
            loop: loop, limit: configuration.maxCallsInFlight, feed: feed
        ) { reactor in
            ChannelCore(
                reactor: reactor, connector: connector, configuration: configuration,
                logger: logger, target: target, counters: counters, feed: feed)
        }
        self.door = door
        visit = { door.takeInbox(on: $0) }
    }

    private static func startThread() throws(RPCError) -> IOThread {
        do {
            return try IOThread(name: "rocket-client")
        } catch {
            throw RPCError(.channelInit, "no thread for the channel", cause: error)
        }
    }

    deinit { close() }

    /// Ends all calls with CHANNEL_INIT and closes the connections; one with calls under way is
    /// reset, so that the server gives them up. Calls made later end the same way. Does not wait.
    /// Any thread; again: nothing.
    public func close() {
        if isClosed.exchange(true, ordering: .relaxed) { return }
        let door = door
        if !loop.execute({ door.close(on: $0) }) { feed.publish(.closed) }
        ownThread?.stopUnattended()
    }

    func pass(_ item: ChannelInbox.Item) { door.pass(item, visit: visit) }

    func pass(_ call: OutgoingCall) {
        if !door.startHere(call) { pass(.start(call)) }
    }
}

// MARK: - What can be seen

extension RPCChannel {
    /// Whether it can send calls now, as of a moment ago. Any thread.
    public var state: RPCChannelState { feed.current }

    /// The state now and each one that follows, until `closed`. Any number may listen; one who
    /// does not keep up misses the oldest of more than 64. Any thread.
    public var states: AsyncStream<RPCChannelState> { feed.listen() }

    /// What it has done so far. Any thread.
    public var statistics: RPCChannelStatistics { counters.read() }

    /// Begins to connect, if it is idle, so that the first call need not wait. Does not wait; see
    /// `states`. Any thread.
    public func connect() {
        let door = door
        loop.execute { door.core(on: $0)?.connect() }
    }
}
