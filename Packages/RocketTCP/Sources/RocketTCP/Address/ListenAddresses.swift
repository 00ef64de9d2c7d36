import RocketSystem

/// The addresses that texts of a configuration mean, for listeners: `IP:PORT`, `[IPv6]:PORT`,
/// `unix:PATH`, or `HOST:PORT` with all addresses of the host, of both families. Each host is looked up
/// once, so that its listeners and their TLS agree. A value; any thread.
public struct ListenAddresses: Sendable {
    private var known: [String: [NetAddress]] = [:]

    /// Nothing has been looked up.
    public init() {}

    /// Returns the addresses of a text. Looks a host up by the system's resolver (the hosts file, DNS),
    /// which blocks, possibly for many seconds: before the loops start.
    ///
    /// - Throws: `ListenAddressError`, which contains the text.
    public mutating func addresses(of text: String) throws(ListenAddressError) -> [NetAddress] {
        if let found = known[text] { return found }
        let found = try Self.find(text)
        known[text] = found
        return found
    }

    private static func find(_ text: String) throws(ListenAddressError) -> [NetAddress] {
        let problem: NetAddressError
        do { return [try NetAddress(parsing: text)] } catch { problem = error }
        guard !text.hasPrefix("unix:"), !text.hasPrefix("["),
            let host = try? HostPort(parsing: text)
        else { throw ListenAddressError(text: "\(problem)", isPermanent: true) }
        do throws(NameLookupError) {
            return try NameLookup.resolve(host: host.host, port: host.port).map { NetAddress($0) }
        } catch {
            throw ListenAddressError(
                text: "listen on \(text): \(error)", isPermanent: error.isUnknownName)
        }
    }
}

/// Why a text means no address. A value.
public struct ListenAddressError: Error, Hashable, Sendable, CustomStringConvertible {
    private let text: String
    /// Whether it stays as it is; false: a lookup has failed that may succeed later.
    public let isPermanent: Bool

    init(text: String, isPermanent: Bool) {
        self.text = text
        self.isPermanent = isPermanent
    }

    /// The text that was looked up, and the reason.
    public var description: String { text }
}
