import CRocketSystem
import Glibc

/// The calling process.
public enum CurrentProcess {
    /// The id of the process (getpid(2)).
    public static var processID: Int32 { getpid() }
}

/// The environment variables of the process.
public enum ProcessEnvironment {
    /// A copy of all variables, by name. Read it at start: setenv(3) in another thread is a race.
    public static var current: [String: String] {
        var variables: [String: String] = [:]
        // SAFETY: environ is a NULL-terminated array of NUL-terminated "NAME=value" strings.
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            let pair = unsafe String(cString: text)
            if let equals = pair.firstIndex(of: "=") {
                variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
            }
            unsafe entry += 1
        }
        return variables
    }
}

/// The end of the process by exit(3) or by returning from `main`.
public enum ProcessExit {
    private static let bodies = Locked<[@Sendable () -> Void]>([])

    /// Registers `body` to run at exit; bodies run in the reverse order of their registration. It
    /// can't be removed. Any thread.
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

    /// Writes `line` to standard error and exits with `status` (exit(3)). For programs.
    public static func end(_ line: String, status: Int32) -> Never {
        let bytes = Array("\(line)\n".utf8)
        // SAFETY: the call only reads the bytes of the array. A failure can't be reported anywhere.
        _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(status)
    }
}

/// The resources that the process uses now: for statistics, watchdogs and leak tests. Any thread.
public enum ProcessUsage {
    /// Returns the number of open file descriptors.
    public static func openDescriptors() throws(SystemError) -> Int {
        try count("/proc/self/fd", rocket_open_descriptors())
    }

    /// Returns the resident memory in bytes.
    public static func residentBytes() throws(SystemError) -> Int {
        try count("/proc/self/statm", rocket_resident_bytes())
    }

    /// The number of bytes that are allocated by malloc and not freed.
    public static var heapBytes: Int { Int(rocket_heap_bytes()) }

    /// Gives the free memory of malloc's arenas back to the system (malloc_trim(3)). Threads that
    /// allocate meanwhile wait, for some 0.1 s per free GiB.
    public static func trimHeap() { _ = rocket_trim_heap() }

    /// The processor time of all threads since the start of the process.
    public static var processorTime: Duration { .nanoseconds(rocket_processor_nanoseconds()) }

    /// Returns the largest number of open descriptors of the process (RLIMIT_NOFILE, soft).
    public static func descriptorLimit() throws(SystemError) -> Int {
        try count("getrlimit", rocket_descriptor_limit())
    }

    /// Sets the soft limit on open descriptors, at most to the hard limit.
    public static func setDescriptorLimit(_ limit: Int) throws(SystemError) {
        try check("setrlimit", rocket_set_descriptor_limit(Int64(limit)))
    }

    private static func count(_ operation: String, _ result: Int64) throws(SystemError) -> Int {
        if result < 0 { throw SystemError(operation, .current) }
        return Int(result)
    }
}
