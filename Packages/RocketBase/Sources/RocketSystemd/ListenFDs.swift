import CSystemd
import RocketSystem

/// The sockets that the service manager opened and passed to the process (sd_listen_fds(3)): socket
/// activation.
///
/// A value. The descriptors are open from the start of the process; a server that adopts one closes
/// it.
public struct ListenFDs: Hashable, Sendable {
    /// One passed socket.
    public struct Socket: Hashable, Sendable {
        /// The number of an open descriptor, closed on exec.
        public let descriptor: Int32
        /// FileDescriptorName= of its socket unit; by default the name of the unit, such as
        /// `order_server.socket`.
        public let name: String

        /// The open descriptor `descriptor`, passed under `name`.
        public init(descriptor: Int32, name: String) {
            self.descriptor = descriptor
            self.name = name
        }
    }

    /// The sockets in the order in which they were passed.
    public let sockets: [Socket]

    /// Why LISTEN_FDS can't be true, in one line; nil when nothing contradicts it. Servers refuse to
    /// start with it.
    public let fault: String?

    /// No sockets: the process was started without socket activation.
    public static let none = ListenFDs([])

    /// A list of sockets, for tests and for other ways of passing sockets.
    public init(_ sockets: [Socket]) {
        self.sockets = sockets
        fault = nil
    }

    private init(fault: String) {
        sockets = []
        self.fault = fault
    }

    /// Reads LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES; returns `none` when they are missing or
    /// meant for another process, and a `fault` when they are invalid or a descriptor is no open
    /// socket. Call it once: each call returns the same descriptors, and two owners of one descriptor
    /// would both close it.
    public static func fromEnvironment() -> ListenFDs {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        // SAFETY: libsystemd allocates the list and each name; all of them are freed below.
        let count = unsafe sd_listen_fds_with_names(0, &names)
        let first = Int32(SD_LISTEN_FDS_START)
        let stated = ProcessEnvironment.current["LISTEN_FDS"] ?? ""
        if count < 0 {
            // libsystemd checks that the descriptors are open, and the form of the variables.
            let open =
                (Int32(stated) ?? 0) > 0 ? Self.missing(from: first, Int32(stated) ?? 0) : nil
            let reason =
                open.map { "descriptor \($0) is not open" }
                ?? "\(Errno(rawValue: -count))"
            return ListenFDs(fault: "LISTEN_FDS=\(stated) is not true: \(reason)")
        }
        guard count > 0 else { return .none }
        defer { unsafe rocket_systemd_free(names) }
        for descriptor in first..<(first + count)
        where !OpenDescriptor.isSocket(descriptor) {
            for index in 0..<Int(count) { unsafe rocket_systemd_free(names?[index]) }
            return ListenFDs(
                fault: "LISTEN_FDS=\(stated) is not true: descriptor \(descriptor) is no socket")
        }
        return ListenFDs(
            (0..<count).map { index in
                let text = unsafe names?[Int(index)]
                defer { unsafe rocket_systemd_free(text) }
                let name = unsafe text.map { unsafe String(cString: $0) } ?? "unknown"
                return Socket(descriptor: first + index, name: name)
            })
    }

    private static func missing(from first: Int32, _ count: Int32) -> Int32? {
        let (end, overflow) = first.addingReportingOverflow(count)
        return (first..<(overflow ? .max : end)).first { !OpenDescriptor.isOpen($0) }
    }

    /// Returns the descriptors that a server with this name adopts: the sockets with the name, or,
    /// when there are none, the sockets without a configured name.
    public func descriptors(for name: String) -> [Int32] {
        let named = sockets.filter { $0.name == name }
        let claimed = named.isEmpty ? sockets.filter(\.isUnnamed) : named
        return claimed.map(\.descriptor)
    }

    /// Returns the sockets that a server with this name does not adopt.
    public func unclaimed(by name: String) -> [Socket] {
        let claimed = Set(descriptors(for: name))
        return sockets.filter { !claimed.contains($0.descriptor) }
    }
}

extension ListenFDs.Socket {
    /// Whether the name is the default of systemd: without FileDescriptorName= a socket is named
    /// after its unit.
    fileprivate var isUnnamed: Bool { name == "unknown" || name.hasSuffix(".socket") }
}
