import RocketBase
import RocketProgram

/// Where the page of a server is: `root/admin/listen` of its configuration. A value.
struct AdminAddress: Hashable, Sendable {
    /// The path of the Unix socket; nil: the address is in `base`.
    let socket: String?
    /// The address of the page as a URL, without a slash at the end.
    let base: String

    /// The address on a command line.
    ///
    /// - Throws: `ProgramFailure` (usage).
    init(argument text: String) throws(ProgramFailure) {
        guard let address = AdminAddress(text) else {
            throw ProgramFailure(
                "\(TerminalText.safe(text)): expected IP:PORT or unix:PATH, as in admin/listen",
                status: .usage)
        }
        self = address
    }

    /// - Parameter text: `HOST:PORT`, `http://HOST:PORT`, `unix:PATH` or a path.
    init?(_ text: String) {
        if text.hasPrefix("unix:") || text.hasPrefix("/") {
            let path = text.hasPrefix("unix:") ? String(text.dropFirst(5)) : text
            // sun_path of sockaddr_un, unix(7), with the zero at its end.
            guard !path.isEmpty, path.utf8.count < 108 else { return nil }
            (socket, base) = (path, "http://localhost")
            return
        }
        var rest = text[...]
        if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
        while rest.hasSuffix("/") { rest = rest.dropLast() }
        guard let colon = rest.lastIndex(of: ":"), colon > rest.startIndex,
            let port = UInt16(rest[rest.index(after: colon)...]), port > 0,
            rest.utf8.allSatisfy({ Self.isOfAddress($0) })
        else { return nil }
        (socket, base) = (nil, "http://\(rest)")
    }

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
