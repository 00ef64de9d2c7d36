/// Why a name has no addresses or services. A value.
public struct DNSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Kind: String, Sendable {
        /// A server answers that there is no such name (NXDOMAIN).
        case unknownName = "there is no such name"
        /// The name exists, without records of the wanted types (NODATA).
        case noRecords = "the name has no records of these types"
        /// No server answered within the time limits.
        case timedOut = "no server has answered in time"
        /// The servers could not find an answer (SERVFAIL).
        case serverFailed = "the server has failed"
        /// The servers refuse to answer this client (REFUSED).
        case refused = "the server refuses to answer"
        /// The servers don't know this kind of query (NOTIMP, FORMERR).
        case notSupported = "the server does not support the query"
        /// No server can be reached: no route, no process at the port.
        case unreachable = "no server can be reached"
        /// An answer is not what RFC 1035 describes.
        case malformedAnswer = "the answer is malformed"
        /// The text is not the name of a host: empty, above 253 bytes, a label above 63 bytes, or
        /// characters that are not printable ASCII (internationalized names need their ASCII form).
        case invalidName = "it is not a valid name"
        /// Too many lookups wait already.
        case overloaded = "too many lookups are pending"
        /// There is no memory.
        case outOfMemory = "out of memory"
        /// The caller cancelled the lookup.
        case cancelled
        /// The resolver was released, or its loop has ended.
        case shutDown = "the resolver was shut down"
    }

    /// The name that was looked up.
    public let name: String
    /// The kind of failure.
    public let kind: Kind
    /// How long a negative answer is valid: by the SOA record that came with it (RFC 2308), else
    /// `DNSConfiguration.negativeTTL`. Nil unless `isNegative`.
    public let negativeTTL: Duration?

    /// Creates an error, for fakes of `DNSClient`.
    public init(_ kind: Kind, name: String, negativeTTL: Duration? = nil) {
        self.kind = kind
        self.name = name
        self.negativeTTL = negativeTTL
    }

    /// Whether it is an answer, valid for `negativeTTL`; false: the lookup failed, and another one may
    /// succeed at any time.
    public var isNegative: Bool { kind == .unknownName || kind == .noRecords }

    /// `host name "x": there is no such name`.
    public var description: String { "host name \"\(name)\": \(kind.rawValue)" }
}

/// A failure to create a resolver. A value.
public struct DNSSetupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason.
    public let text: String

    /// `DNS: ` and the reason.
    public var description: String { "DNS: \(text)" }
}
