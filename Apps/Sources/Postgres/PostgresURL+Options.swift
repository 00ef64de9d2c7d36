extension PostgresURL {
    /// One of the hosts of a URL. A value.
    struct Host: Hashable, Sendable {
        /// What libpq is given for this host in place of all hosts of the URL; empty: nothing.
        let options: [Option]
        /// Name and port as in the URL; empty: libpq's default.
        let description: String
    }

    /// A keyword of libpq with its value.
    struct Option: Hashable, Sendable {
        let keyword: String
        let value: String

        init(_ keyword: String, _ value: String) {
            self.keyword = keyword
            self.value = value
        }
    }

    /// libpq's, for a host without one among several.
    private static let defaultPort = "5432"

    /// libpq examines these when it connects, which is late.
    private static let choices = [
        (
            "sslmode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
        ),
        (
            "target_session_attrs",
            ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]
        ),
        ("gssencmode", ["disable", "prefer", "require"]),
        ("channel_binding", ["disable", "prefer", "require"]),
    ]

    /// Checks what libpq would refuse.
    static func check(_ options: [String: String]) throws(Invalid) {
        for (keyword, values) in choices {
            guard let value = options[keyword], !values.contains(value) else { continue }
            throw Invalid(
                description: "\(keyword)=\(value): use one of \(values.joined(separator: ", "))")
        }
    }

    /// Returns the hosts of a URL, one or more.
    static func hosts(_ options: [String: String]) throws(Invalid) -> [Host] {
        func list(_ keyword: String) -> [String] {
            guard let text = options[keyword], !text.isEmpty else { return [] }
            return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
        let count = max(names.count, addresses.count, 1)
        if !names.isEmpty, !addresses.isEmpty, names.count != addresses.count {
            throw Invalid(
                description: "it has \(names.count) hosts and \(addresses.count) hostaddr")
        }
        if ports.count > 1, ports.count != count {
            throw Invalid(description: "it has \(count) hosts and \(ports.count) ports")
        }
        for port in ports where !port.isEmpty && UInt16(port) ?? 0 == 0 {
            throw Invalid(description: "a port is a number from 1 to 65535")
        }
        return (0..<count).map { index in
            let port = ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : ""
            var chosen: [Option] = []
            if index < names.count { chosen.append(Option("host", names[index])) }
            if index < addresses.count { chosen.append(Option("hostaddr", addresses[index])) }
            let name = chosen.first?.value ?? ""
            // libpq ignores an empty value, and would take the list of all ports.
            chosen.append(Option("port", port.isEmpty && !ports.isEmpty ? defaultPort : port))
            // libpq knows its default host.
            return Host(
                options: count == 1 ? [] : chosen,
                description: port.isEmpty ? name : "\(name):\(port)")
        }
    }

    /// Returns the time for connecting to a host that a URL has.
    static func connectTimeout(_ options: [String: String]) throws(Invalid) -> Duration? {
        guard let text = options["connect_timeout"] else { return nil }
        guard let seconds = Int32(text) else {
            throw Invalid(description: "connect_timeout is a number of seconds, and not \(text)")
        }
        return seconds <= 0 ? nil : .seconds(seconds)
    }
}
