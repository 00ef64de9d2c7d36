public import RocketSystem

/// The families of IP addresses that a lookup asks for.
@frozen
public struct DNSFamilies: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// Creates a set from its bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// IPv4 (A records).
    public static let ipv4 = DNSFamilies(rawValue: 1)
    /// IPv6 (AAAA records).
    public static let ipv6 = DNSFamilies(rawValue: 2)
    /// Both.
    public static let all: DNSFamilies = [.ipv4, .ipv6]
}

/// One address of a name. A value.
public struct DNSAddress: Hashable, Sendable {
    /// The IP address, with the port that was passed to the lookup.
    public let address: SocketAddress
    /// How long it is valid; nil: it is a literal or of the hosts file, which have no TTL.
    public let ttl: Duration?

    /// Creates an address, for fakes of `DNSClient`.
    public init(_ address: SocketAddress, ttl: Duration?) {
        self.address = address
        self.ttl = ttl
    }

    /// Returns the same host with another port.
    public func withPort(_ port: UInt16) -> DNSAddress {
        DNSAddress(address.withPort(port), ttl: ttl)
    }
}

/// The addresses of a name. A value.
public struct DNSAddresses: Hashable, Sendable {
    /// At least one, in the order in which clients should try them (RFC 6724). Addresses of IPv4 only
    /// are in the server's order.
    public let addresses: [DNSAddress]
    /// The least TTL of the records that the answer was made of, aliases included; nil: there was none,
    /// as for a literal.
    public let minimumTTL: Duration?
    /// Why the addresses of one family are missing, unless by a negative answer; nil: none are.
    public let missingFamily: DNSError?

    /// Creates a result, for fakes of `DNSClient`.
    public init(
        _ addresses: [DNSAddress], minimumTTL: Duration?, missingFamily: DNSError? = nil
    ) {
        self.addresses = addresses
        self.minimumTTL = minimumTTL
        self.missingFamily = missingFamily
    }
}

/// One server of a service (RFC 2782). A value.
public struct DNSService: Hashable, Sendable {
    /// Clients use the servers with the least number that they can reach.
    public let priority: UInt16
    /// The share of the clients among servers of the same priority.
    public let weight: UInt16
    /// The port.
    public let port: UInt16
    /// The name of the host, without a dot at its end.
    public let target: String
    /// How long the record is valid.
    public let ttl: Duration

    /// Creates a record, for fakes of `DNSClient`.
    public init(priority: UInt16, weight: UInt16, port: UInt16, target: String, ttl: Duration) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
        self.ttl = ttl
    }
}

/// The servers of a service. A value.
public struct DNSServices: Hashable, Sendable {
    /// At least one, by priority; among equals in the server's order.
    public let services: [DNSService]
    /// The least TTL of the records that the answer was made of, aliases included.
    public let minimumTTL: Duration

    /// Creates a result, for fakes of `DNSClient`.
    public init(_ services: [DNSService], minimumTTL: Duration) {
        self.services = services
        self.minimumTTL = minimumTTL
    }
}
