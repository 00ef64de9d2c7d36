public import RocketBase
public import RocketSystem
import Synchronization

/// How a group picks the loop for a new connection.
public enum LoopChoice: Sendable {
    /// One after the other.
    case roundRobin
    /// The one with the fewest connections, as its users have counted them with
    /// `EventLoop.connectionOpened` and `connectionClosed`.
    case leastConnections
}

/// Threads with a loop each. Started together; whoever starts them stops and joins them.
public final class IOThreadGroup: Sendable {
    /// In the order of their numbers; at least one.
    public let loops: [EventLoop]
    private let threads: [IOThread]
    private let turn = Atomic<Int>(0)

    /// Starts `count` threads, named `namePrefix` and a number from 0.
    ///
    /// - Parameters:
    ///   - count: 1 or more.
    ///   - cpus: the processors to pin the threads to, in turn; empty pins none.
    /// - Throws: `SystemError` as `IOThread`; those that were started are stopped and joined then.
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

    /// The loop for the next connection. Any thread.
    public func next(by choice: LoopChoice = .roundRobin) -> EventLoop {
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        let first = loops[Int(UInt(bitPattern: start) % UInt(loops.count))]
        guard choice == .leastConnections else { return first }
        return loops.reduce(first) { $1.connectionCount < $0.connectionCount ? $1 : $0 }
    }

    /// Asks all loops to end. Any thread; returns at once.
    public func stop() { for thread in threads { thread.stop() } }

    /// Blocks until all threads have ended; once, after `stop`, not from one of them.
    public func join() { for thread in threads { thread.join() } }

    /// `stop` and `join`, without blocking the caller's thread.
    public func shutdown() async {
        stop()
        await awaitBlocking(join)
    }

    private static func end(_ threads: [IOThread]) {
        for thread in threads { thread.stop() }
        for thread in threads { thread.join() }
    }
}

extension EventLoop {
    /// Connections that its users have counted. Any thread.
    public var connectionCount: Int { connections.load(ordering: .relaxed) }

    /// Counts one more: when a connection is given to this loop, before it gets there. Any thread.
    public func connectionOpened() { connections.wrappingAdd(1, ordering: .relaxed) }

    /// Counts one less. Any thread.
    public func connectionClosed() { connections.wrappingSubtract(1, ordering: .relaxed) }
}
