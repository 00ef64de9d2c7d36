public import RocketSystem

/// Servers, time limits and other limits of a `DNSResolver`. A value; numbers outside of their ranges
/// are clamped.
public struct DNSConfiguration: Hashable, Sendable {
    /// The servers, IP addresses without scope; port 0 means 53. Empty (the default): those of
    /// `resolvConf`.
    public var servers: [SocketAddress] = []
    /// The file with servers, search domains and options (resolv.conf(5)). Lookups check at most once a
    /// second whether it has changed, and then use its new contents; lookups that are running end with
    /// the old ones. Without the file the server is 127.0.0.1, as c-ares has it.
    public var resolvConf = "/etc/resolv.conf"
    /// The domains in which relative names are searched; nil (the default): those of `resolvConf`,
    /// else the domain of this machine's name. Names with a dot at their end are never searched.
    public var searchDomains: [String]?
    /// The file with names and addresses that precede DNS (hosts(5)), read as `resolvConf` when it has
    /// changed, up to 1 MiB; nil: none.
    public var hostsFile: String? = "/etc/hosts"
    /// How long one try may take, 10 ms to 60 s; c-ares uses between 9/16 and all of it. Doubled each
    /// time that all servers have been asked. Default 2 s.
    public var tryTimeout = Duration.seconds(2)
    /// How often each server is asked, 1 to 10. Default 3.
    public var tries = 3
    /// How long a lookup may take in all, waiting and search domains included; at least 10 ms. Default
    /// 10 s.
    public var lookupTimeout = Duration.seconds(10)
    /// How long a lookup that has addresses of one family waits for those of the other. RFC 8305 has
    /// 50 ms for users who wait; the default is 500 ms, since a list lasts for its TTL. `.zero`: it
    /// does not wait.
    public var familyDelay = Duration.milliseconds(500)
    /// How many queries may run at a time, 2 to 10,000; a lookup has one for each family. Lookups beyond
    /// wait for their turn. Default 256.
    public var concurrentQueries = 256
    /// How many lookups may wait for their turn; further ones fail as `overloaded`. Default 1,024.
    public var waitingLookups = 1_024
    /// How many addresses or services of one answer are kept, in the answer's order; at least 1. Default
    /// 256.
    public var recordLimit = 256
    /// How long a negative answer is valid that has no SOA record. Default 30 s.
    public var negativeTTL = Duration.seconds(30)

    /// Creates the defaults.
    public init() {}

    var clampedTryMilliseconds: Int32 {
        Int32(min(max(tryTimeout.wholeNanoseconds / 1_000_000, 10), 60_000))
    }
    var clampedTries: Int32 { Int32(min(max(tries, 1), 10)) }
    var clampedQueries: Int { min(max(concurrentQueries, 2), 10_000) }
    var clampedLookupTimeout: Duration { max(lookupTimeout, .milliseconds(10)) }
}
