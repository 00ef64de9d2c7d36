public import RocketReactor
public import RocketSystem

/// Resolves host names on a separate thread, since the system's resolver blocks. Any thread. One
/// lookup runs at a time. The creator shuts it down.
public final class NameResolver: Sendable {
    let thread: IOThread

    /// Starts the thread.
    ///
    /// - Throws: `SystemError` (EMFILE, EAGAIN: no more threads).
    public convenience init() throws(SystemError) { try self.init(waitingAtMost: 1_024) }

    /// Starts the thread.
    ///
    /// - Parameter limit: the most lookups that wait, the running one included; further ones fail
    ///   at once. At least 1; `init()` uses 1024.
    public init(waitingAtMost limit: Int) throws(SystemError) {
        var configuration = EventLoopConfiguration()
        configuration.taskLimit = limit
        configuration.slowCallback = nil
        // One task per tick, so that no lookup has been taken that does not run.
        configuration.tasksPerTick = 1
        thread = try IOThread(name: "resolver", configuration: configuration)
    }

    /// Looks up the addresses of a name, in the order of the system; `TCPClient` tries them all.
    ///
    /// - Parameter completion: called on `loop`, later; never when that loop has ended.
    /// - Returns: why there is no lookup (shut down, too many wait); `completion` is not called
    ///   then.
    @discardableResult
    public func resolve(
        _ target: HostPort, on loop: EventLoop,
        completion: @escaping @Sendable (Reactor, Result<[NetAddress], NameLookupError>) -> Void
    ) -> NameLookupError? {
        submit(target) { _ in
            let result = Self.lookUp(target)
            loop.execute { completion($0, result) }
        }
    }

    /// Returns the addresses of a name, in the order of the system.
    ///
    /// - Throws: `NameLookupError`, also when this resolver was shut down or too many lookups wait.
    public func resolve(_ target: HostPort) async throws(NameLookupError) -> [NetAddress] {
        let result = await withCheckedContinuation { continuation in
            let refusal = submit(target) { _ in
                continuation.resume(returning: Self.lookUp(target))
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    /// Ends the thread after all requested lookups. Blocks until then: not on a loop.
    public func shutdown() {
        thread.stop()
        thread.join()
    }

    private func submit(
        _ target: HostPort, _ lookup: @escaping @Sendable (Reactor) -> Void
    ) -> NameLookupError? {
        switch thread.loop.offer(lookup) {
        case .accepted: nil
        case .full: .overloaded(target.host)
        case .ended: .shutDown(target.host)
        }
    }

    private static func lookUp(_ target: HostPort) -> Result<[NetAddress], NameLookupError> {
        Result { () throws(NameLookupError) in
            try NameLookup.resolve(host: target.host, port: target.port).map { NetAddress($0) }
        }
    }
}
