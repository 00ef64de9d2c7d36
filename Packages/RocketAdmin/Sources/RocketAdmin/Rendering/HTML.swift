import RocketBase

/// Markup. Text that is put into it is escaped; only literals and other markup are not. A value.
///
///     let row: HTML = "<td title=\"\(peer.identity)\">\(peer.address)</td>"
struct HTML: ExpressibleByStringInterpolation, Hashable, Sendable {
    private(set) var text: String

    init(stringLiteral text: String) { self.text = text }

    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// Several pieces, one behind the other.
    init(_ pieces: [HTML]) {
        text = ""
        text.reserveCapacity(pieces.reduce(0) { $0 + $1.text.utf8.count })
        for piece in pieces { text += piece.text }
    }

    var isEmpty: Bool { text.isEmpty }

    static func + (a: HTML, b: HTML) -> HTML { HTML([a, b]) }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ text: String) { self.text += HTML.escaped(text) }
        mutating func appendInterpolation(_ number: Int) { text += String(number) }
        mutating func appendInterpolation(_ markup: HTML) { text += markup.text }
        mutating func appendInterpolation(_ pieces: [HTML]) {
            for piece in pieces { text += piece.text }
        }
    }

    /// Returns text for elements and for attributes in quotes: the five characters of markup as
    /// references, and those that can hide or reorder others visible.
    static func escaped(_ text: String) -> String {
        // Most text has nothing to escape.
        if text.utf8.allSatisfy(isPlain) { return text }
        var result = ""
        for scalar in PrintableText.escaping(text, PrintableText.swiftEscape).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""),
            UInt8(ascii: "'"):
            false
        default: (0x20..<0x7F).contains(byte)
        }
    }
}
