import Glibc
import Synchronization

/// What has to be done when the process ends by exit(3) or by returning from `main`.
public enum ProcessExit {
    private static let bodies = Mutex<[@Sendable () -> Void]>([])

    /// Runs `body` at exit, after those registered later. Any thread; there is no way back.
    public static func run(_ body: @escaping @Sendable () -> Void) {
        let isFirst = bodies.withLock { bodies in
            bodies.append(body)
            return bodies.count == 1
        }
        if isFirst { atexit { ProcessExit.runAll() } }
    }

    private static func runAll() {
        for body in bodies.withLock({ $0 }).reversed() { body() }
    }
}
