import CRocketSystem

/// What this process uses of the machine now: for figures, watchdogs and leak tests. Any thread.
public enum ProcessUsage {
    /// Open file descriptors.
    public static func openDescriptors() throws(SystemError) -> Int {
        try count("/proc/self/fd", rocket_open_descriptors())
    }

    /// Memory in RAM, in bytes.
    public static func residentBytes() throws(SystemError) -> Int {
        try count("/proc/self/statm", rocket_resident_bytes())
    }

    /// Bytes that malloc has handed out and not got back.
    public static var heapBytes: Int { Int(rocket_heap_bytes()) }

    /// Processor time of all threads since the process began.
    public static var processorTime: Duration { .nanoseconds(rocket_processor_nanoseconds()) }

    /// How many descriptors this process may have (RLIMIT_NOFILE, soft).
    public static func descriptorLimit() throws(SystemError) -> Int {
        try count("getrlimit", rocket_descriptor_limit())
    }

    /// Sets it, up to the hard limit.
    public static func setDescriptorLimit(_ limit: Int) throws(SystemError) {
        try check("setrlimit", rocket_set_descriptor_limit(Int64(limit)))
    }

    private static func count(_ operation: String, _ result: Int64) throws(SystemError) -> Int {
        if result < 0 { throw SystemError(operation, .current) }
        return Int(result)
    }
}
