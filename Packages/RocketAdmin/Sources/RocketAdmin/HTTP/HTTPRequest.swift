import RocketSystem

/// What a request says, as far as the page looks at it. A value.
struct HTTPRequest: Sendable {
    /// As it was sent: `GET`.
    var method: String
    var target: RequestTarget
    /// The values of the headers that are looked at; a header that was sent twice is in `repeated`.
    var headers: [Header: String] = [:]
    var repeated: Set<Header> = []
    var body: [UInt8] = []
    var isBodyTooLarge = false
    /// The user at the other end of a Unix socket.
    var peer: PeerCredentials?

    /// The headers that are looked at.
    enum Header: String, CaseIterable, Sendable {
        case host = "Host"
        case origin = "Origin"
        case fetchSite = "Sec-Fetch-Site"
        case contentType = "Content-Type"
        case accept = "Accept"
        /// Proves that no foreign page has sent the request: a browser asks before it sends such a
        /// header to another origin, and the answer is no.
        case change = "X-Rocket-Admin"
    }

    /// Whether the answer is sent without its body.
    var isHead: Bool { method == "HEAD" }
    /// Whether it asks for something without changing it.
    var isReading: Bool { method == "GET" || isHead }
}

/// A path and a query, decoded. A value.
struct RequestTarget: Hashable, Sendable {
    var path: String
    var query: FormFields

    /// Parses `/calls?method=a.b`; nil for what is no path, such as a whole URL or `*`, and for escapes
    /// that are wrong or stand for no UTF-8.
    init?(_ text: String) {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, first.first == "/",
            let path = FormFields.decoded(first, plusIsSpace: false)
        else { return nil }
        self.path = path
        guard let query = FormFields(parts.count > 1 ? String(parts[1]) : "") else { return nil }
        self.query = query
    }
}

/// Names and values of a query or of a form (application/x-www-form-urlencoded). A value.
struct FormFields: Hashable, Sendable {
    /// In their order.
    private(set) var all: [Field] = []

    struct Field: Hashable, Sendable {
        var name: String
        var value: String
    }

    /// The most fields that are read; with more, nothing is.
    static let limit = 32

    /// No fields.
    init() {}

    /// Parses `a=1&b=2`; nil for wrong escapes, and above the limit.
    init?(_ text: String) {
        for part in text.split(separator: "&") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard all.count < Self.limit, let first = sides.first,
                let name = Self.decoded(first, plusIsSpace: true),
                let value = Self.decoded(sides.count > 1 ? sides[1] : "", plusIsSpace: true)
            else { return nil }
            all.append(Field(name: name, value: value))
        }
    }

    /// The first value of that name; nil if there is none, or an empty one.
    subscript(name: String) -> String? {
        get { all.first { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value } }
        set {
            all.removeAll { $0.name == name }
            if let newValue, !newValue.isEmpty { all.append(Field(name: name, value: newValue)) }
        }
    }

    /// The text of a query, with escapes, without `?`.
    var text: String {
        all.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
    }

    static func decoded(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.next().flatMap(hexDigit),
                    let low = rest.next().flatMap(hexDigit)
                else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "-._~".unicodeScalars.contains(scalar))
            if isPlain {
                result.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }
}
