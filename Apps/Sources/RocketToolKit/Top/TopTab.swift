/// A table of the page that `rocket top` shows. A value.
enum TopTab: String, CaseIterable, Sendable {
    case methods, connections, calls, channels, loops, limits

    /// What a column's values are.
    enum Kind: Sendable {
        case text, count, rate, seconds, bytes, share
    }

    /// A column.
    struct Column: Sendable {
        /// The name in JSON.
        let name: String
        let title: String
        let kind: Kind

        init(_ name: String, _ title: String, _ kind: Kind) {
            (self.name, self.title, self.kind) = (name, title, kind)
        }
    }

    var name: String { rawValue }

    /// Its place among all, from 0 on.
    var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// The column by which the rows are sorted, from high to low; nil: as the page has them.
    var order: String? {
        switch self {
        case .methods: "calls_per_second"
        case .loops: "busy_share"
        case .limits: "used_share"
        case .connections, .calls, .channels: nil
        }
    }

    /// Where the table is.
    func path(filter: String?) -> String {
        var query: [String] = []
        if let order { query.append("sort=-\(order)") }
        if let filter, !filter.isEmpty { query.append("filter=\(Self.encoded(filter))") }
        return "/\(name).json" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    /// Percent encoding, RFC 3986.
    static func encoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { encoded, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
            }
        }
    }
}
