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
    }

    /// As it was given.
    let text: String
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
        self.text = text
        let user = options["user"].map { "\($0)@" } ?? ""
        let hosts = (options["host"] ?? options["hostaddr"] ?? "").split(
            separator: ",", omittingEmptySubsequences: false)
        let ports = (options["port"] ?? "").split(
            separator: ",", omittingEmptySubsequences: false)
        let addresses = hosts.enumerated().map { index, host in
            let port = ports.count == 1 ? ports.first : index < ports.count ? ports[index] : nil
            return port.map { $0.isEmpty ? "\(host)" : "\(host):\($0)" } ?? "\(host)"
        }
        description =
            "postgresql://\(user)\(addresses.joined(separator: ","))/\(options["dbname"] ?? "")"
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
