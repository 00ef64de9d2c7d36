public import RocketBase
public import RocketSystem

/// A thread that drives one event loop. Its owner stops and joins it. Any thread.
public final class IOThread: Sendable {
    /// The loop that it drives. Accepts tasks at once.
    public let loop: EventLoop
    private let thread: SystemThread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: of the loop and the thread; ps and gdb show its first 15 bytes.
    ///   - cpu: the processor to pin the thread to; nil leaves the choice to the scheduler.
    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM; EAGAIN: no more threads; EINVAL: no such
    ///   processor). No thread and no descriptor remains then.
    public init(
        name: String, configuration: EventLoopConfiguration = EventLoopConfiguration(),
        cpu: Int? = nil, logger: RocketLogger = .disabled
    ) throws(SystemError) {
        let loop = try EventLoop(name: name, configuration: configuration, logger: logger)
        self.loop = loop
        thread = try SystemThread(name: name, cpu: cpu) { loop.run() }
    }

    /// Requests that the loop ends. Any thread; returns at once.
    public func stop() { loop.stop() }

    /// Requests that the loop ends, and detaches the thread: it is not joined. Once, in place of
    /// `stop` and `join`. Any thread.
    public func stopUnattended() {
        thread.detach()
        loop.stop()
    }

    /// Blocks until the thread has ended. Once, after `stop`. Not on the thread itself, which would
    /// wait for ever, nor on a thread that other work needs.
    public func join() {
        precondition(!loop.isInLoop, "a thread is not joined by itself")
        thread.join()
    }

    /// Waits as `join` does, without blocking the caller's thread. Once, and not both.
    public func ended() async { await awaitBlocking(join) }
}

/// Runs `wait`, which blocks, on a separate thread, so that no thread of a pool is blocked.
func awaitBlocking(_ wait: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
        let waiter = try? SystemThread(name: "io-join") {
            wait()
            continuation.resume()
        }
        if let waiter { return waiter.detach() }
        // No more threads: block this one rather than return too early.
        wait()
        continuation.resume()
    }
}
