import ArgumentParser
import RocketBase
import RocketProgram

/// Where the page of a server is: `root/admin/listen` of its configuration. A value.
struct AdminAddress: Hashable, Sendable {
    /// The path of the Unix socket; nil: the address is in `base`.
    let socket: String?
    /// The address of the page as a URL, without a slash at the end.
    let base: String
    /// Where to connect in place of the host in `base`, as libcurl writes it; nil: there.
    let connectTo: String?

    /// The address on a command line.
    ///
    /// - Parameter tls: the options of TLS; nil: there are none.
    /// - Throws: `ProgramFailure` (usage).
    init(argument text: String, tls: StubTLSConfig?) throws(ProgramFailure) {
        guard let address = AdminAddress(text, isSecure: tls != nil, name: tls?.name) else {
            throw ProgramFailure(
                "\(TerminalText.safe(text)): expected IP:PORT or unix:PATH, as in admin/listen, "
                    + "with TLS https://HOST:PORT",
                status: .usage)
        }
        self = address
    }

    /// - Parameters:
    ///   - text: `HOST:PORT`, `http://HOST:PORT`, `https://HOST:PORT`, `unix:PATH` or a path.
    ///   - isSecure: whether HOST:PORT is a page with TLS.
    ///   - name: the name that its certificate must have, if not the host.
    init?(_ text: String, isSecure: Bool = false, name: String? = nil) {
        if text.hasPrefix("unix:") || text.hasPrefix("/") {
            let path = text.hasPrefix("unix:") ? String(text.dropFirst(5)) : text
            // sun_path of sockaddr_un, unix(7), with the zero at its end.
            guard !path.isEmpty, path.utf8.count < 108, !isSecure else { return nil }
            (socket, base, connectTo) = (path, "http://localhost", nil)
            return
        }
        var rest = text[...]
        var isSecure = isSecure
        if rest.hasPrefix("http://") {
            if isSecure { return nil }
            rest = rest.dropFirst(7)
        } else if rest.hasPrefix("https://") {
            isSecure = true
            rest = rest.dropFirst(8)
        }
        while rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":"), colon > rest.startIndex,
            let port = UInt16(rest[rest.index(after: colon)...]), port > 0,
            rest.utf8.allSatisfy({ Self.isOfAddress($0) })
        else { return nil }
        socket = nil
        guard let name else {
            (base, connectTo) = ("\(isSecure ? "https" : "http")://\(rest)", nil)
            return
        }
        guard !name.isEmpty, name.utf8.allSatisfy({ Self.isOfAddress($0) }) else { return nil }
        let host = name.contains(":") && !name.hasPrefix("[") ? "[\(name)]" : name
        (base, connectTo) = ("https://\(host):\(port)", "\(host):\(port):\(rest)")
    }

    /// Whether the page has TLS.
    var isSecure: Bool { base.hasPrefix("https:") }

    /// Letters, digits, and what is in names and addresses.
    private static func isOfAddress(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._:[]".utf8.contains(byte)
        }
    }
}

extension TLSOptions {
    /// Checks the options for the client of pages.
    func validateForPage() throws {
        if settings?.fingerprint != nil {
            throw ValidationError("--tls-fingerprint is not for pages: use --tls-ca")
        }
    }
}
