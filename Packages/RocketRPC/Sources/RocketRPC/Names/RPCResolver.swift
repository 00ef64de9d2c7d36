public import RocketBase
public import RocketReactor

/// Finds the servers behind a name, and those that come and go while a channel is open. Names are
/// `SCHEME:REST`; the scheme selects the resolver. Any thread.
public protocol RPCResolver: Sendable {
    /// The schemes that it resolves, such as `dns`.
    var schemes: [String] { get }

    /// Checks the name of a channel that is being created. Does not wait.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a name that can't be resolved in any case.
    func check(_ target: RPCTarget) throws(RPCError)

    /// Begins to resolve a name, for one channel; on the channel's loop. Passes each new list to
    /// `report`, and each failure: the channel keeps its last list then, and the resolver goes on.
    func start(
        _ target: RPCTarget, on reactor: Reactor, report: RPCResolverReport
    ) -> any RPCResolution
}

/// A name that is being resolved for a channel. Bound to the channel's loop.
public protocol RPCResolution: AnyObject {
    /// A server of the last list can't be reached: look again, soon. Called as often as that
    /// happens; the resolver limits how often it looks.
    func refresh()
    /// The channel is closed: stop.
    func cancel()
}

/// Where a resolver passes what it has found. Any thread; after the end of the channel without effect.
public struct RPCResolverReport: Sendable {
    private let loop: EventLoop
    private let receive: @Sendable (Reactor, Result<[RPCEndpoint], RPCError>) -> Void

    /// A report to a receiver on a loop: for channels, and for tests of resolvers.
    public init(
        on loop: EventLoop,
        _ receive: @escaping @Sendable (Reactor, Result<[RPCEndpoint], RPCError>) -> Void
    ) {
        self.loop = loop
        self.receive = receive
    }

    /// All servers that there are now, in any order; at most 10,000, further ones are dropped. An
    /// empty list is a failure: the channel keeps its last one.
    public func found(_ endpoints: [RPCEndpoint]) { pass(.success(endpoints)) }

    /// The name can't be resolved now.
    public func failed(_ error: RPCError) { pass(.failure(error)) }

    private func pass(_ result: Result<[RPCEndpoint], RPCError>) {
        if loop.isInLoop { return loop.withReactor { receive($0, result) } }
        loop.execute { receive($0, result) }
    }
}
