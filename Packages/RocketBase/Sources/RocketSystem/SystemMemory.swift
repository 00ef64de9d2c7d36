import Glibc

/// A limit on the memory of this process. A value.
public struct MemoryLimit: Hashable, Sendable {
    /// The limit; more than 0.
    public let bytes: Int
    /// Where it was found.
    public let source: Source

    /// Where a limit was found.
    public enum Source: Hashable, Sendable, CustomStringConvertible {
        /// In the file with this path.
        case file(String)
        /// Nowhere: it is all memory of the machine, whatever other processes use of it.
        case physicalMemory

        /// The path, or `physical memory`.
        public var description: String {
            switch self {
            case .file(let path): path
            case .physicalMemory: "physical memory"
            }
        }
    }

    /// - Parameter bytes: more than 0.
    public init(bytes: Int, source: Source) {
        self.bytes = bytes
        self.source = source
    }
}

/// The memory that this process may use: the limits of the control groups (v1 and v2) that it is in,
/// and what the machine has. A value.
public struct SystemMemory: Sendable {
    private let read: @Sendable (String) -> String?
    private let physicalBytes: Int?

    /// This system.
    public init() {
        // The largest is mountinfo, with a line for each mount: thousands on a machine with
        // containers.
        read = { path in
            guard let bytes = try? FileContents.read(path, limit: 16 << 20) else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let pageBytes = sysconf(Int32(_SC_PAGESIZE))
        physicalBytes = pages > 0 && pageBytes > 0 ? pages * pageBytes : nil
    }

    /// - Parameters:
    ///   - physicalBytes: the memory of the machine; nil: unknown.
    ///   - read: returns the text of a file; nil: it can't be read.
    public init(physicalBytes: Int? = nil, read: @escaping @Sendable (String) -> String?) {
        self.read = read
        self.physicalBytes = physicalBytes
    }

    /// The smallest of the limits; nil when none can be read. Reads some files.
    public var limit: MemoryLimit? {
        (ControlGroupMemory(read: read).limits + [machine].compactMap { $0 })
            .min { $0.bytes < $1.bytes }
    }

    /// MemAvailable: free memory, and what the kernel can take back without swapping. Services whose
    /// /proc has processes only (ProcSubset=pid) can't read it: then all memory of the machine.
    private var machine: MemoryLimit? {
        let path = "/proc/meminfo"
        for line in (read(path) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 1, words[0] == "MemAvailable:", let kibibytes = Int(words[1]),
                (1..<1 << 50).contains(kibibytes)
            else { continue }
            return MemoryLimit(bytes: kibibytes << 10, source: .file(path))
        }
        return physicalBytes.map { MemoryLimit(bytes: $0, source: .physicalMemory) }
    }
}
