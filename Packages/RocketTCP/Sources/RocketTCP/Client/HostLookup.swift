public import RocketReactor
public import RocketSystem

/// Looks up the hosts that a `PersistentConnection` connects to: that of RocketNames by DNS. Any
/// thread.
public protocol HostLookup: Sendable {
    /// Looks up the addresses of a host, best first; on the connection's loop.
    ///
    /// - Parameter completion: called once on the loop, never inside this function; after the end of
    ///   the lookup by the function that is returned, without effect.
    /// - Returns: ends the lookup.
    func addresses(
        of host: HostPort, on reactor: Reactor,
        completion: @escaping (Result<[NetAddress], NameLookupError>) -> Void
    ) -> () -> Void
}
