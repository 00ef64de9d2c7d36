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
        var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        // SAFETY: libsystemd allocates the list and each name; all of them are freed below.
        let count = unsafe sd_listen_fds_with_names(0, &list)
        defer { unsafe rocket_systemd_free(list) }
        let names = (0..<max(0, Int(count))).map { index in
            let text = unsafe list?[index]
            defer { unsafe rocket_systemd_free(text) }
            return unsafe text.map { unsafe String(cString: $0) } ?? "unknown"
        }
        return checked(
            count, stated: ProcessEnvironment.current["LISTEN_FDS"] ?? "", names: names,
            isOpen: OpenDescriptor.isOpen, isSocket: OpenDescriptor.isSocket)
    }

    /// Checks what libsystemd returned.
    ///
    /// - Parameters:
    ///   - count: the number of descriptors, or an errno below 0: libsystemd checks that they are
    ///     open, and the form of the variables.
    ///   - stated: the value of LISTEN_FDS.
    static func checked(
        _ count: Int32, stated: String, names: [String], isOpen: (Int32) -> Bool,
        isSocket: (Int32) -> Bool
    ) -> ListenFDs {
        func fault(_ reason: String) -> ListenFDs {
            ListenFDs(fault: "LISTEN_FDS=\(stated) is not true: \(reason)")
        }
        let first = Int32(SD_LISTEN_FDS_START)
        if count < 0 {
            let (end, overflow) = first.addingReportingOverflow(max(0, Int32(stated) ?? 0))
            let missing = (first..<(overflow ? .max : end)).first { !isOpen($0) }
            return fault(
                missing.map { "descriptor \($0) is not open" } ?? "\(Errno(rawValue: -count))")
        }
        let descriptors = first..<(first + count)
        if let other = descriptors.first(where: { !isSocket($0) }) {
            return fault("descriptor \(other) is no socket")
        }
        return ListenFDs(zip(descriptors, names).map { Socket(descriptor: $0, name: $1) })
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
