import RocketSystem

/// Which callers a rule is about. A value.
enum CallerPattern: Hashable, Sendable {
    /// `*`: also those that have proved nothing.
    case anyone
    /// Those that have proved who they are, in any way.
    case authenticated
    /// `unix:uid=1000`
    case userID(UInt32)
    /// `unix:gid=1000`: the effective group of the process.
    case groupID(UInt32)
    /// `dns:orders.example`, in lower case.
    case dns(String)
    /// `dns:*.example`: one label before `.example`.
    case dnsBelow(suffix: String)
    /// `uri:spiffe://example/orders`
    case uri(String)
    /// `uri:spiffe://example/*`: all that begin with `spiffe://example/`.
    case uriBelow(prefix: String)
    /// `subject:CN=orders,O=Example`: the whole subject.
    case subject(String)
    case fingerprint(X509Fingerprint)
    /// `token:SUBJECT`
    case token(String)
    /// `claim:NAME=VALUE`
    case claim(name: String, value: String)

    static let expected =
        "expected *, authenticated, unix:uid=N, unix:gid=N, dns:NAME, dns:*.NAME, uri:URI, "
        + "uri:URI/*, subject:CN=…, fingerprint:SHA256, token:SUBJECT or claim:NAME=VALUE"

    init(_ text: String) throws(AuthorizationError) {
        guard text.utf8.count <= AuthorizationRule.maxPatternBytes, let read = Self.read(text)
        else {
            throw AuthorizationError(
                "the caller pattern \(text.quotedForMessage) is not valid; \(Self.expected)")
        }
        self = read
    }

    private static func read(_ text: String) -> Self? {
        if text == "*" { return .anyone }
        if text == "authenticated" { return .authenticated }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else { return nil }
        let value = String(parts[1])
        switch parts[0] {
        case "unix": return processPattern(value)
        case "dns": return dnsPattern(asciiLowercased(value))
        case "uri": return uriPattern(value)
        case "subject": return value.contains("=") ? .subject(value) : nil
        case "fingerprint": return X509Fingerprint(value).map { .fingerprint($0) }
        case "token": return .token(value)
        case "claim":
            let pair = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, !pair[0].isEmpty else { return nil }
            return .claim(name: String(pair[0]), value: String(pair[1]))
        default: return nil
        }
    }

    private static func processPattern(_ text: String) -> Self? {
        func number(_ prefix: String) -> UInt32? {
            guard text.hasPrefix(prefix) else { return nil }
            let digits = text.dropFirst(prefix.count)
            return digits.utf8.allSatisfy { (48...57).contains($0) } ? UInt32(digits) : nil
        }
        if let user = number("uid=") { return .userID(user) }
        return number("gid=").map { .groupID($0) }
    }

    private static func dnsPattern(_ name: String) -> Self? {
        let isBelow = name.hasPrefix("*.")
        let rest = isBelow ? String(name.dropFirst(2)) : name
        let labels = rest.split(separator: ".", omittingEmptySubsequences: false)
        let isValid = labels.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isLabelByte) }
        if !isValid { return nil }
        return isBelow ? .dnsBelow(suffix: "." + rest) : .dns(rest)
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// A `*` is only allowed behind the last `/`: `spiffe://example*` would also match the URIs of
    /// `example.evil`.
    private static func uriPattern(_ text: String) -> Self? {
        let prefix = text.dropLast()
        if text.hasSuffix("/*"), !prefix.contains("*"), !prefix.hasSuffix("//") {
            return .uriBelow(prefix: String(prefix))
        }
        return text.contains("*") ? nil : .uri(text)
    }
}

// MARK: - Matching

extension CallerPattern {
    func matches(_ identity: PeerIdentity, _ token: TokenIdentity?) -> Bool {
        switch (self, identity) {
        case (.anyone, _): true
        case (.authenticated, _): identity != .none || token != nil
        case (.userID(let id), .unix(let process)): process.userID == id
        case (.groupID(let id), .unix(let process)): process.groupID == id
        case (.token(let subject), _): token.map { Self.same($0.subject, subject) } ?? false
        case (.claim(let name, let value), _):
            token?.claims.contains { Self.same($0.key, name) && Self.same($0.value, value) }
                ?? false
        case (_, .certificate(let certificate)): matches(certificate)
        default: false
        }
    }

    private func matches(_ certificate: X509Certificate) -> Bool {
        switch self {
        case .dns(let name):
            certificate.dnsNames.contains { Self.same(Self.asciiLowercased($0), name) }
        case .dnsBelow(let suffix):
            certificate.dnsNames.contains {
                Self.isOneLabel(Self.asciiLowercased($0).utf8, before: suffix.utf8)
            }
        case .uri(let uri): certificate.uris.contains { Self.same($0, uri) }
        case .uriBelow(let prefix):
            certificate.uris.contains {
                $0.utf8.starts(with: prefix.utf8) && $0.utf8.count > prefix.utf8.count
            }
        case .subject(let subject): Self.same(certificate.subject, subject)
        case .fingerprint(let fingerprint): certificate.fingerprint == fingerprint
        default: false
        }
    }

    /// A certificate for `*.example` is not one for a name below `example`.
    private static func isOneLabel(
        _ name: String.UTF8View, before suffix: String.UTF8View
    ) -> Bool {
        guard name.count > suffix.count, name.suffix(suffix.count).elementsEqual(suffix) else {
            return false
        }
        return name.dropLast(suffix.count).allSatisfy(isLabelByte)
    }

    /// Byte for byte: strings are equal, too, where they only look the same (`K` and the sign of
    /// Kelvin), and issuers give such names to different callers.
    private static func same(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

    /// For the same reason only ASCII letters change.
    private static func asciiLowercased(_ text: String) -> String {
        String(decoding: text.utf8.map { (65...90).contains($0) ? $0 | 32 : $0 }, as: UTF8.self)
    }
}

extension CallerPattern: CustomStringConvertible {
    var description: String {
        switch self {
        case .anyone: "*"
        case .authenticated: "authenticated"
        case .userID(let id): "unix:uid=\(id)"
        case .groupID(let id): "unix:gid=\(id)"
        case .dns(let name): "dns:\(name)"
        case .dnsBelow(let suffix): "dns:*\(suffix)"
        case .uri(let uri): "uri:\(uri)"
        case .uriBelow(let prefix): "uri:\(prefix)*"
        case .subject(let subject): "subject:\(subject)"
        case .fingerprint(let fingerprint): "fingerprint:\(fingerprint)"
        case .token(let subject): "token:\(subject)"
        case .claim(let name, let value): "claim:\(name)=\(value)"
        }
    }
}
