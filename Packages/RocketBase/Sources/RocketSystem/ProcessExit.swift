import Glibc

/// What has to be done when the process ends by exit(3) or by returning from `main`.
public enum ProcessExit {
    private static let bodies = Locked<[@Sendable () -> Void]>([])

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

    /// Ends the process in order (exit(3)), after a last line on standard error. For programs.
    public static func end(_ line: String, status: Int32) -> Never {
        let bytes = Array("\(line)\n".utf8)
        // SAFETY: writes the array's own bytes; there is nobody to tell when it fails.
        _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(status)
    }
}
