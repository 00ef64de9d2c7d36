import RocketSystem

/// The folder of a configuration file, against which its relative paths are resolved.
struct ConfigFolder: Equatable, Sendable {
    /// The path without a trailing `/` (except for the root folder); empty: the working directory.
    let path: String

    init(ofFile file: String) {
        guard let slash = file.lastIndex(of: "/") else {
            path = ""
            return
        }
        path = slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// Returns the path relative to the working directory. Absolute paths are not changed.
    func resolve(_ relative: String) -> String {
        if relative.hasPrefix("/") || path.isEmpty { return relative }
        return path == "/" ? "/" + relative : "\(path)/\(relative)"
    }
}

/// Validates the text of socket addresses. The type for addresses, `NetAddress`, belongs to
/// RocketTCP, which this package must not import.
enum ConfigAddress {
    private static let unixPrefix = "unix:"
    /// The largest path in sockaddr_un in bytes, without its NUL.
    private static let unixLimit = 107

    static func isAddress(_ text: String) -> Bool {
        if text.hasPrefix(unixPrefix) {
            let path = text.dropFirst(unixPrefix.count)
            return (1...unixLimit).contains(path.utf8.count) && path != "@"
        }
        guard let colon = text.lastIndex(of: ":"), isPort(text[text.index(after: colon)...]) else {
            return false
        }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            return IPLiteral(String(host.dropFirst().dropLast())) == .v6
        }
        return IPLiteral(String(host)) == .v4
    }

    /// Whether it is an address, or `HOST:PORT`.
    static func isListenAddress(_ text: String) -> Bool {
        if isAddress(text) { return true }
        guard isTarget(text), let colon = text.lastIndex(of: ":") else { return false }
        return !text[..<colon].contains(":") && isPort(text[text.index(after: colon)...])
    }

    /// Whether it is an address, or a name that a resolver takes: `HOST:PORT`, `SCHEME:NAME`.
    static func isTarget(_ text: String) -> Bool {
        if isAddress(text) { return true }
        guard !text.hasPrefix(unixPrefix), let colon = text.firstIndex(of: ":") else {
            return false
        }
        let first = text[..<colon]
        let rest = text[text.index(after: colon)...]
        // An address that is wrong is none of them.
        guard first.utf8.contains(where: { (97...122).contains($0 | 0x20) }),
            first.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") })
        else { return false }
        if isPort(rest) { return true }
        return !rest.isEmpty && !rest.allSatisfy(\.isNumber)
            && rest.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    /// Whether it is an address that only this machine reaches: 127.0.0.0/8 or [::1], with a port.
    static func isLoopback(_ text: String) -> Bool {
        guard isAddress(text), !text.hasPrefix(unixPrefix), let colon = text.lastIndex(of: ":")
        else {
            return false
        }
        let host = text[..<colon]
        if host.hasPrefix("[") {
            return IPText.parseIPv6(String(host.dropFirst().dropLast())).map { $0 == (0, 1) }
                ?? false
        }
        return host.hasPrefix("127.")
    }

    /// Returns `127.0.0.1:80`, `[::1]:80`.
    static func text(ip: String, port: Int) -> String {
        ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    static func resolve(_ text: String, _ folder: ConfigFolder) -> String {
        guard text.hasPrefix(unixPrefix), !text.hasPrefix("unix:@") else { return text }
        return unixPrefix + folder.resolve(String(text.dropFirst(unixPrefix.count)))
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.allSatisfy(\.isASCII) && text.first?.isNumber == true
            && Int(text).map { (0...65_535).contains($0) } == true
    }
}
