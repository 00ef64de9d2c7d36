import CRocketSystem

/// A name that could not be resolved.
public struct NameLookupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name that was to be resolved.
    public let host: String
    /// The error text of the resolver.
    public let text: String
    /// Whether the resolver responded that the name does not exist; false: the lookup failed.
    public let isUnknownName: Bool

    /// Creates an error, for lookups by other means.
    public init(host: String, text: String, isUnknownName: Bool) {
        self.host = host
        self.text = text
        self.isUnknownName = isUnknownName
    }

    /// `host name "x": Name or service not known`.
    public var description: String { "host name \"\(host)\": \(text)" }
}

/// The resolver of the system (getaddrinfo(3)): the hosts file, DNS, or as nsswitch.conf configures
/// it.
public enum NameLookup {
    /// The largest number of addresses that one lookup returns.
    public static let limit = 32

    /// Returns the stream addresses of a host name or IP address, in the system's order of
    /// preference. Blocks the calling thread, possibly for many seconds, so it must not be called
    /// on an event loop.
    public static func resolve(host: String, port: UInt16) throws(NameLookupError)
        -> [SocketAddress]
    {
        var flat = [rocket_address](repeating: rocket_address(), count: limit)
        var count: Int32 = 0
        // SAFETY: at most `limit` elements are written.
        let code = unsafe rocket_look_up(host, port, &flat, Int32(limit), &count)
        let error = Errno.current
        guard code == 0 else { throw failure(of: host, code, error) }
        var seen: Set<SocketAddress> = []
        return flat.prefix(Int(count)).map(SocketAddress.init).filter { seen.insert($0).inserted }
    }

    /// Returns the error of a lookup that ended with an EAI_ code. The text of EAI_SYSTEM is that of
    /// `errno`: the resolver's own says only that there is one.
    static func failure(of host: String, _ code: Int32, _ errno: Errno) -> NameLookupError {
        let isSystemError = rocket_look_up_is_system_error(code) == 1
        let text = unsafe String(cString: rocket_look_up_text(code))
        return NameLookupError(
            host: host, text: isSystemError ? "\(errno)" : text,
            isUnknownName: rocket_look_up_is_unknown_name(code) == 1)
    }
}
