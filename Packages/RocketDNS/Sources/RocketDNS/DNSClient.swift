/// What looks up names on a loop: `DNSResolver`, or a fake in tests and simulations, which have no
/// network. Bound to its loop's thread.
public protocol DNSClient: AnyObject {
    /// Looks up the addresses of a host.
    ///
    /// - Parameters:
    ///   - host: a name or an IP address, without brackets.
    ///   - port: of the addresses in the result.
    ///   - completion: called once, on the loop, at the end of a tick: never inside this function.
    /// - Returns: a handle for cancelling. The lookup continues without it.
    @discardableResult
    func lookUp(
        host: String, port: UInt16, families: DNSFamilies,
        completion: @escaping (Result<DNSAddresses, DNSError>) -> Void
    ) -> DNSRequest

    /// Looks up the servers of a service (SRV records).
    ///
    /// - Parameters:
    ///   - name: as `_rocket._tcp.example.org`. Complete: it is not searched in other domains.
    ///   - completion: called once, on the loop, at the end of a tick: never inside this function.
    /// - Returns: a handle for cancelling. The lookup continues without it.
    @discardableResult
    func lookUpServices(
        name: String, completion: @escaping (Result<DNSServices, DNSError>) -> Void
    ) -> DNSRequest
}

/// A lookup of a `DNSClient`. Bound to its loop's thread. Releasing it does not cancel the lookup.
public final class DNSRequest {
    private var onCancel: (() -> Void)?

    /// Creates a handle.
    ///
    /// - Parameter onCancel: called at most once.
    public init(onCancel: @escaping () -> Void) { self.onCancel = onCancel }

    /// Cancels the lookup: its completion gets `cancelled` at the end of the tick, if it has not been
    /// called yet. Again, or too late: without effect.
    public func cancel() { onCancel.take()?() }
}
