public import RocketBase
public import RocketSystem
import Synchronization

/// How a group chooses the loop for a new connection.
public enum LoopChoice: Sendable {
    /// Each loop in turn.
    case roundRobin
    /// The loop with the fewest connections, as its users have counted them with
    /// `EventLoop.connectionOpened` and `connectionClosed`.
    case leastConnections
}

/// Threads with a loop each, started together. Their owner stops and joins them. Any thread.
public final class IOThreadGroup: Sendable {
    /// The loops in the order of their numbers; at least one.
    public let loops: [EventLoop]
    private let threads: [IOThread]
    private let turn = Atomic<Int>(0)

    /// Starts `count` threads. Their names are `namePrefix` and a number from 0.
    ///
    /// - Parameters:
    ///   - count: 1 or more.
    ///   - cpus: the processors to pin the threads to, in turn; empty: none is pinned.
    /// - Throws: `SystemError` as `IOThread` does, after stopping and joining the threads that were
    ///   started.
    public init(
        count: Int, namePrefix: String = "io-",
        configuration: EventLoopConfiguration = EventLoopConfiguration(), cpus: [Int] = [],
        logger: RocketLogger = .disabled
    ) throws(SystemError) {
        precondition(count > 0, "a group has one thread or more")
        var threads: [IOThread] = []
        do {
            for number in 0..<count {
                let cpu = cpus.isEmpty ? nil : cpus[number % cpus.count]
                threads.append(
                    try IOThread(
                        name: "\(namePrefix)\(number)", configuration: configuration, cpu: cpu,
                        logger: logger))
            }
        } catch {
            Self.end(threads)
            throw error
        }
        self.threads = threads
        loops = threads.map(\.loop)
    }

    /// Returns the loop for the next connection. Any thread.
    public func next(by choice: LoopChoice = .roundRobin) -> EventLoop {
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        let first = loops[Int(UInt(bitPattern: start) % UInt(loops.count))]
        guard choice == .leastConnections else { return first }
        return loops.reduce(first) { $1.connectionCount < $0.connectionCount ? $1 : $0 }
    }

    /// Requests that all loops end. Any thread; returns at once.
    public func stop() { for thread in threads { thread.stop() } }

    /// Blocks until all threads have ended. Once, after `stop`, and not on one of them.
    public func join() { for thread in threads { thread.join() } }

    /// Stops and joins all threads without blocking the caller's thread.
    public func shutdown() async {
        stop()
        await awaitBlocking(join)
    }

    private static func end(_ threads: [IOThread]) {
        for thread in threads { thread.stop() }
        for thread in threads { thread.join() }
    }
}
