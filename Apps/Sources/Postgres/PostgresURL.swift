import CPostgres

/// Where a database is, in libpq's words: `postgresql://USER@HOST:PORT/DATABASE?sslmode=verify-full`.
/// Several hosts, and all parameters of libpq, are possible. A value.
///
/// It has no password: URLs are shown by logs, pages and reports. Passwords come from a file
/// (`passfile=` or ~/.pgpass), or the server identifies its peers otherwise.
public struct PostgresURL: Hashable, Sendable, CustomStringConvertible {
    /// Why a text is no URL of a database.
    public struct Invalid: Error, Hashable, Sendable, CustomStringConvertible {
        /// One line, without the URL.
        public let description: String

        /// A reason.
        public init(description: String) { self.description = description }
    }

    /// As it was given.
    let text: String
    /// Its hosts, in their order; one, without options, if it has none: libpq's default.
    let hosts: [Host]
    /// Its time for connecting to one host; nil: it has none.
    let connectTimeout: Duration?
    /// Whether it asks for servers that take no writes.
    public let isReadOnly: Bool
    /// User, hosts and database, as a URL.
    public let description: String

    /// Parses a URL.
    public init(_ text: String) throws(Invalid) {
        guard text.hasPrefix("postgresql://") || text.hasPrefix("postgres://"),
            !text.utf8.contains(0)
        else {
            throw Invalid(
                description:
                    "a URL of PostgreSQL begins with postgresql://, as in "
                    + "postgresql://USER@HOST:PORT/DATABASE")
        }
        let options = try Self.parse(text)
        if options["password"] != nil || options["sslpassword"] != nil {
            throw Invalid(
                description:
                    "a URL of PostgreSQL may not have a password, which logs and pages would show: "
                    + "put it into a file, and its path into the URL (?passfile=/PATH)")
        }
        try Self.check(options)
        self.text = text
        hosts = try Self.hosts(options)
        connectTimeout = try Self.connectTimeout(options)
        isReadOnly = ["read-only", "standby"].contains(options["target_session_attrs"])
        let user = options["user"].map { "\($0)@" } ?? ""
        let names = hosts.map(\.description).joined(separator: ",")
        description = "postgresql://\(user)\(names)/\(options["dbname"] ?? "")"
    }

    /// How many hosts it has.
    public var hostCount: Int { hosts.count }

    /// Returns the name of a host, with its port if it has one. The number is below `hostCount`.
    public func name(ofHost number: Int) -> String {
        hosts[number].description.isEmpty ? "the default host" : hosts[number].description
    }

    /// SAFETY: libpq's array ends with an option without a keyword, and its strings are valid until
    /// it is freed.
    private static func parse(_ text: String) throws(Invalid) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let parsed = unsafe PQconninfoParse(text, &message) else {
            defer { unsafe PQfreemem(message) }
            let reason = unsafe message.map { unsafe String(cString: $0) } ?? "no memory"
            // It may quote a part of the URL, and with that of a password.
            let user = text.split(separator: "@").dropLast().first ?? ""
            let hasPassword = user.split(separator: ":").count > 2 || text.contains("password")
            throw Invalid(
                description: hasPassword
                    ? "it is no URL of PostgreSQL"
                    : "it is no URL of PostgreSQL: \(PostgresError.oneLine(reason))")
        }
        defer { unsafe PQconninfoFree(parsed) }
        var options: [String: String] = [:]
        var option = unsafe parsed
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe options[String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return options
    }
}
