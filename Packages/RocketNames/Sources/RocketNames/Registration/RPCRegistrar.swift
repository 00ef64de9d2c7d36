public import RocketBase
public import RocketRPC

/// Announces servers under names, where resolvers of the same scheme find them. Any thread.
public protocol RPCRegistrar: Sendable {
    /// The schemes of the names, such as `etcd`.
    var schemes: [String] { get }

    /// Checks a name to announce servers under. Does not wait.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a name that can't be used in any case.
    func check(_ target: RPCTarget) throws(RPCError)

    /// Begins to announce a server, and goes on until it is withdrawn: tries again where that fails,
    /// and announces it again where the entry is lost. Does not wait.
    ///
    /// - Parameters:
    ///   - endpoint: the server; its first address is announced, with its weight and zone.
    ///   - logger: receives a line when it is announced and when that fails.
    /// - Throws: `RPCError`: as `check`; CHANNEL_INIT when a thread can't be started.
    func register(
        _ endpoint: RPCEndpoint, as target: RPCTarget, logger: RocketLogger
    ) throws(RPCError) -> any RPCRegistration
}

/// A server that is announced. Any thread.
public protocol RPCRegistration: AnyObject, Sendable {
    /// Whether it is announced now, as far as is known.
    var isAnnounced: Bool { get }

    /// Returns when the server has been announced for the first time or was withdrawn, or the task is
    /// cancelled.
    func announced() async

    /// Ends the announcement, and returns when its entry is removed. At most a few seconds; the server
    /// is not announced any more afterwards, whatever the outcome. Again: waits for the same.
    ///
    /// - Throws: `RPCError` when the entry could not be removed: resolvers find it until it expires, if
    ///   it does.
    func withdraw() async throws(RPCError)
}
