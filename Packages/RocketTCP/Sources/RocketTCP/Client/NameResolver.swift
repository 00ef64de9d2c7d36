public import RocketReactor
public import RocketSystem

/// Resolves host names on a thread of its own, since the system's resolver blocks. Any thread.
/// One lookup at a time; whoever makes it shuts it down.
public final class NameResolver: Sendable {
    let thread: IOThread

    /// Starts the thread.
    ///
    /// - Throws: `SystemError` (EMFILE, EAGAIN: no more threads).
    public init() throws(SystemError) { thread = try IOThread(name: "resolver") }

    /// The addresses of a name, in the system's order; `TCPClient` tries them all.
    ///
    /// - Parameter completion: on `loop`, later; not at all when that loop has ended.
    /// - Returns: false when this resolver was shut down; `completion` does not come then.
    @discardableResult
    public func resolve(
        _ target: HostPort, on loop: EventLoop,
        completion: @escaping @Sendable (Reactor, Result<[NetAddress], NameLookupError>) -> Void
    ) -> Bool {
        thread.loop.execute { _ in
            let result = Self.look(up: target)
            loop.execute { completion($0, result) }
        }
    }

    /// The addresses of a name, in the system's order.
    ///
    /// - Throws: `NameLookupError`, also when this resolver was shut down.
    public func resolve(_ target: HostPort) async throws(NameLookupError) -> [NetAddress] {
        let result = await withCheckedContinuation { continuation in
            let isAccepted = thread.loop.execute { _ in
                continuation.resume(returning: Self.look(up: target))
            }
            if !isAccepted { continuation.resume(returning: .failure(.shutDown(target.host))) }
        }
        return try result.get()
    }

    /// Ends the thread after the lookups that were asked for. Blocks for them: not on a loop.
    public func shutdown() {
        thread.stop()
        thread.join()
    }

    private static func look(up target: HostPort) -> Result<[NetAddress], NameLookupError> {
        Result { () throws(NameLookupError) in
            try NameLookup.resolve(host: target.host, port: target.port).map { NetAddress($0) }
        }
    }
}
