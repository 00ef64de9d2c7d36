import CRocketSystem
import Glibc

/// The calling process.
public enum CurrentProcess {
    /// The id of the process (getpid(2)).
    public static var processID: Int32 { getpid() }
}

/// The environment variables of the process.
public struct ProcessEnvironment: Sendable {
    /// The variables whose values are UTF-8, by name.
    public private(set) var variables: [String: String] = [:]
    /// The names of the other variables, and the offset of the first byte of each value that is not
    /// UTF-8, from 0.
    public private(set) var malformed: [String: Int] = [:]

    /// A copy of the variables that are UTF-8, by name. Read it at start: setenv(3) in another
    /// thread is a race.
    public static var current: [String: String] { read().variables }

    /// A copy of all variables; see `current`.
    public static func read() -> ProcessEnvironment {
        var result = ProcessEnvironment()
        // SAFETY: environ is a NULL-terminated array of NUL-terminated "NAME=value" strings.
        var entry = unsafe environ
        while let text = unsafe entry.pointee {
            unsafe result.add(UnsafeRawBufferPointer(start: text, count: strlen(text)))
            unsafe entry += 1
        }
        return result
    }

    /// Adds an entry, `NAME=value`.
    @_spi(TestKit) public mutating func add(_ entry: UnsafeRawBufferPointer) {
        guard let equals = unsafe entry.firstIndex(of: UInt8(ascii: "=")) else { return }
        let name = unsafe String(decoding: entry[..<equals], as: UTF8.self)
        let value = unsafe Array(entry[(equals + 1)...])
        if let offset = UTF8Text.firstError(in: value) {
            malformed[name] = offset
        } else {
            variables[name] = String(decoding: value, as: UTF8.self)
        }
    }

    /// No variables.
    public init() {}
}

/// The arguments of the process.
public enum ProcessArguments {
    /// The first argument that is not UTF-8: its position, 1 being the first one after the
    /// program's path, and the offset of its first such byte, from 0. `CommandLine.arguments` has
    /// U+FFFD in place of such bytes.
    public static var firstMalformed: (position: Int, offset: Int)? {
        for position in 0..<Int(CommandLine.argc) {
            // SAFETY: argv has argc NUL-terminated strings.
            guard let text = unsafe CommandLine.unsafeArgv[position] else { continue }
            let bytes = unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
            if let offset = UTF8Text.firstError(in: bytes) { return (position, offset) }
        }
        return nil
    }
}

/// Checks bytes that are to be text.
public enum UTF8Text {
    /// Returns the offset of the first byte that is not a part of a UTF-8 character; nil when there
    /// is none.
    public static func firstError(in bytes: [UInt8]) -> Int? {
        do {
            _ = try UTF8Span(validating: bytes.span)
            return nil
        } catch {
            return error.byteOffsets.lowerBound
        }
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

    /// Writes `line` to standard error, for the journal as an error, and exits with `status`
    /// (exit(3)). For programs.
    public static func end(_ line: String, status: Int32) -> Never {
        let bytes = Array("\(StandardStream.errorLine(line))\n".utf8)
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

    /// Makes malloc keep freed memory for the next blocks of less than 4 MiB until `trimHeap`, up to
    /// `keptBytes(within:)` at the end of each arena; it returns larger blocks when they are freed
    /// (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD). By its defaults it would return many of
    /// the smaller ones, too, and a message of 1 MiB would cost a hundred page faults. For the start
    /// of a program that trims its heap.
    ///
    /// - Parameter memory: what the process may use; nil: unknown.
    public static func keepFreedMemory(within memory: MemoryLimit?) {
        rocket_keep_freed_memory(Int32(keptBytes(within: memory)))
    }

    /// How much freed memory malloc keeps at the end of one arena, in bytes: a 32nd of the limit,
    /// 1 to 64 MiB, so that the arenas of some loops together stay within what a byte budget leaves
    /// to malloc, a quarter at least.
    static func keptBytes(within memory: MemoryLimit?) -> Int {
        guard let memory else { return 64 << 20 }
        return min(max(memory.bytes / 32, 1 << 20), 64 << 20)
    }

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
