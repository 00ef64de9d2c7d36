public import RocketReactor
public import RocketSystem

/// Resolves host names on a thread of its own, since the system's resolver blocks. Any thread.
/// One lookup at a time; whoever makes it shuts it down.
public final class NameResolver: Sendable {
    let thread: IOThread

    /// Starts the thread.
    ///
    /// - Throws: `SystemError` (EMFILE, EAGAIN: no more threads).
    public convenience init() throws(SystemError) { try self.init(waitingAtMost: 1_024) }

    /// Starts the thread.
    ///
    /// - Parameter limit: lookups that may wait, the running one included; further ones fail at
    ///   once. 1 or more; default 1024.
    public init(waitingAtMost limit: Int) throws(SystemError) {
        var configuration = EventLoopConfiguration()
        configuration.taskLimit = limit
        configuration.slowCallback = nil
        // One after the other: what is fetched is no more than what runs.
        configuration.tasksPerTick = 1
        thread = try IOThread(name: "resolver", configuration: configuration)
    }

    /// The addresses of a name, in the system's order; `TCPClient` tries them all.
    ///
    /// - Parameter completion: on `loop`, later; not at all when that loop has ended.
    /// - Returns: why it can't be done (shut down, too many wait): `completion` does not come then.
    @discardableResult
    public func resolve(
        _ target: HostPort, on loop: EventLoop,
        completion: @escaping @Sendable (Reactor, Result<[NetAddress], NameLookupError>) -> Void
    ) -> NameLookupError? {
        ask(for: target) { _ in
            let result = Self.look(up: target)
            loop.execute { completion($0, result) }
        }
    }

    /// The addresses of a name, in the system's order.
    ///
    /// - Throws: `NameLookupError`, also when this resolver was shut down or too many wait.
    public func resolve(_ target: HostPort) async throws(NameLookupError) -> [NetAddress] {
        let result = await withCheckedContinuation { continuation in
            let refusal = ask(for: target) { _ in
                continuation.resume(returning: Self.look(up: target))
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }

    /// Ends the thread after the lookups that were asked for. Blocks for them: not on a loop.
    public func shutdown() {
        thread.stop()
        thread.join()
    }

    private func ask(
        for target: HostPort, _ lookup: @escaping @Sendable (Reactor) -> Void
    ) -> NameLookupError? {
        switch thread.loop.offer(lookup) {
        case .accepted: nil
        case .full: .overloaded(target.host)
        case .ended: .shutDown(target.host)
        }
    }

    private static func look(up target: HostPort) -> Result<[NetAddress], NameLookupError> {
        Result { () throws(NameLookupError) in
            try NameLookup.resolve(host: target.host, port: target.port).map { NetAddress($0) }
        }
    }
}
