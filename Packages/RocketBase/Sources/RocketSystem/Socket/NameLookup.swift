import CRocketSystem

/// A name that could not be resolved.
public struct NameLookupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name that was looked up.
    public let host: String
    /// The resolver's own words.
    public let text: String
    /// The resolver answered that there is no such name; false: it could not find out.
    public let isUnknownName: Bool

    /// For a resolver that does not work any more.
    public static func shutDown(_ host: String) -> NameLookupError {
        NameLookupError(host: host, text: "the resolver was shut down", isUnknownName: false)
    }

    /// For a resolver that has more lookups to do than it may keep waiting.
    public static func overloaded(_ host: String) -> NameLookupError {
        NameLookupError(host: host, text: "too many lookups wait", isUnknownName: false)
    }

    /// `host name "x": Name or service not known`.
    public var description: String { "host name \"\(host)\": \(text)" }
}

/// The system's resolver (getaddrinfo(3)): hosts file, DNS, whatever nsswitch.conf says.
public enum NameLookup {
    /// At most this many addresses are taken from one answer.
    public static let limit = 32

    /// The stream addresses of a host name or IP text, in the system's order of preference.
    /// Blocks the calling thread, possibly for many seconds: never on an event loop.
    public static func resolve(host: String, port: UInt16) throws(NameLookupError)
        -> [SocketAddress]
    {
        var flat = [rocket_address](repeating: rocket_address(), count: limit)
        var count: Int32 = 0
        // SAFETY: at most `limit` elements are written.
        let code = unsafe rocket_look_up(host, port, &flat, Int32(limit), &count)
        guard code == 0 else {
            let text = unsafe String(cString: rocket_look_up_text(code))
            throw NameLookupError(
                host: host, text: text,
                isUnknownName: rocket_look_up_is_unknown_name(code) == 1)
        }
        var seen: Set<SocketAddress> = []
        return flat.prefix(Int(count)).map(SocketAddress.init).filter { seen.insert($0).inserted }
    }
}
