public import RocketBase
public import RocketSystem

/// A thread that drives one event loop. Whoever starts it stops and joins it.
public final class IOThread: Sendable {
    /// The loop that it drives. Takes tasks at once.
    public let loop: EventLoop
    private let thread: SystemThread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: the loop's and the thread's, shown by ps and gdb (its first 15 bytes).
    ///   - cpu: the processor to stay on; nil leaves that to the scheduler.
    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM; EAGAIN: no more threads; EINVAL: no such
    ///   processor). Nothing is left behind then.
    public init(
        name: String, configuration: EventLoopConfiguration = EventLoopConfiguration(),
        cpu: Int? = nil, logger: RocketLogger = .disabled
    ) throws(SystemError) {
        let loop = try EventLoop(name: name, configuration: configuration, logger: logger)
        self.loop = loop
        thread = try SystemThread(name: name, cpu: cpu) { loop.run() }
    }

    /// Asks the loop to end. Any thread; returns at once.
    public func stop() { loop.stop() }

    /// Asks the loop to end, and lets the thread go: nobody joins it. Once, in place of `stop` and
    /// `join`. Any thread.
    public func stopUnattended() {
        thread.detach()
        loop.stop()
    }

    /// Blocks until the thread has ended; once, after `stop`, and not from itself nor from a
    /// thread that other work needs.
    public func join() {
        precondition(!loop.isInLoop, "a thread is not joined by itself")
        thread.join()
    }

    /// As `join`, without blocking the caller's thread; once, and not both.
    public func ended() async { await awaitBlocking(join) }
}

/// Runs `wait`, which blocks, on a thread of its own, so that no thread of a pool is blocked.
func awaitBlocking(_ wait: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
        let waiter = try? SystemThread(name: "io-join") {
            wait()
            continuation.resume()
        }
        if let waiter { return waiter.detach() }
        // Out of threads: better to block than not to wait.
        wait()
        continuation.resume()
    }
}
