import CSystemd
import RocketSystem

/// Sockets that the service manager opened and handed over (sd_listen_fds(3)): socket activation.
///
/// The numbers are open from the process's start on; whoever adopts one closes it. A value.
public struct ListenFDs: Hashable, Sendable {
    /// One socket.
    public struct Socket: Hashable, Sendable {
        /// The number of an open descriptor, closed on exec.
        public let descriptor: Int32
        /// FileDescriptorName= of its socket unit; by default the unit's name, as
        /// `order_server.socket`.
        public let name: String

        /// From its parts.
        public init(descriptor: Int32, name: String) {
            self.descriptor = descriptor
            self.name = name
        }
    }

    /// In the order in which they were handed over.
    public let sockets: [Socket]

    /// None: without activation.
    public static let none = ListenFDs([])

    /// A list of one's own.
    public init(_ sockets: [Socket]) { self.sockets = sockets }

    /// What LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES tell; none when they are missing, meant for
    /// another process, or make no sense. Ask once: the same numbers would be given again.
    public static func fromEnvironment() -> ListenFDs {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        // SAFETY: libsystemd allocates the list and each name; all of them are freed below.
        let count = unsafe sd_listen_fds_with_names(0, &names)
        guard count > 0 else { return .none }
        defer { unsafe rocket_systemd_free(names) }
        let first = Int32(SD_LISTEN_FDS_START)
        return ListenFDs(
            (0..<count).map { index in
                let text = unsafe names?[Int(index)]
                defer { unsafe rocket_systemd_free(text) }
                let name = unsafe text.map { unsafe String(cString: $0) } ?? "unknown"
                return Socket(descriptor: first + index, name: name)
            })
    }

    /// The descriptors that a server which answers to `name` takes over: those of that name or,
    /// where none bears it, those that were given no name at all.
    public func descriptors(for name: String) -> [Int32] {
        let named = sockets.filter { $0.name == name }
        let mine = named.isEmpty ? sockets.filter(\.isUnnamed) : named
        return mine.map(\.descriptor)
    }

    /// Those that no server which answers to `name` would take.
    public func strangers(to name: String) -> [Socket] {
        let mine = Set(descriptors(for: name))
        return sockets.filter { !mine.contains($0.descriptor) }
    }
}

extension ListenFDs.Socket {
    /// systemd names a socket after its unit when nobody else does.
    fileprivate var isUnnamed: Bool { name == "unknown" || name.hasSuffix(".socket") }
}
