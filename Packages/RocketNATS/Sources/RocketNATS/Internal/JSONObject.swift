/// The members of a JSON object that are text, numbers, truth values, or arrays of text; others are
/// read over. A value.
struct JSONObject {
    enum Value: Equatable {
        case text(String)
        case number(Int64)
        case truth(Bool)
        case texts([String])
        case other
    }

    private(set) var members: [String: Value] = [:]

    func text(_ name: String) -> String {
        if case .text(let text)? = members[name] { return text }
        return ""
    }

    func truth(_ name: String) -> Bool { members[name] == .truth(true) }

    func number(_ name: String) -> Int64? {
        if case .number(let number)? = members[name] { return number }
        return nil
    }

    func texts(_ name: String) -> [String] {
        if case .texts(let texts)? = members[name] { return texts }
        return []
    }

    /// Reads an object. Of members with one name the last one counts.
    ///
    /// - Returns: nil if it is none, or is nested deeper than 16.
    init?(_ json: [UInt8]) {
        var reader = JSONReader(json)
        guard let members = reader.wholeObject() else { return nil }
        self.members = members
    }

    /// Returns a text of JSON, with its quotes.
    static func quoted(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": json += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }
}

/// Reads JSON (RFC 8259). A value.
private struct JSONReader {
    private let json: [UInt8]
    private var at = 0
    private var depth = 0
    private static let maxDepth = 16

    init(_ json: [UInt8]) { self.json = json }

    mutating func wholeObject() -> [String: JSONObject.Value]? {
        guard let members = object() else { return nil }
        skipBlanks()
        return at == json.count ? members : nil
    }

    private var peek: UInt8? { at < json.count ? json[at] : nil }

    private mutating func skipBlanks() {
        while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard peek == UInt8(ascii: byte) else { return false }
        at += 1
        return true
    }

    private mutating func object() -> [String: JSONObject.Value]? {
        guard take("{"), enter() else { return nil }
        defer { depth -= 1 }
        var members: [String: JSONObject.Value] = [:]
        if take("}") { return members }
        repeat {
            skipBlanks()
            guard let name = string(), take(":"), let value = value() else { return nil }
            members[name] = value
        } while take(",")
        return take("}") ? members : nil
    }

    private mutating func array() -> JSONObject.Value? {
        guard take("["), enter() else { return nil }
        defer { depth -= 1 }
        var texts: [String] = []
        var hasOthers = false
        if take("]") { return .texts([]) }
        repeat {
            guard let value = value() else { return nil }
            if case .text(let text) = value { texts.append(text) } else { hasOthers = true }
        } while take(",")
        guard take("]") else { return nil }
        return hasOthers ? .other : .texts(texts)
    }

    private mutating func enter() -> Bool {
        if depth == Self.maxDepth { return false }
        depth += 1
        return true
    }

    private mutating func value() -> JSONObject.Value? {
        skipBlanks()
        switch peek {
        case UInt8(ascii: "\"")?: return string().map { .text($0) }
        case UInt8(ascii: "{")?: return object() == nil ? nil : .other
        case UInt8(ascii: "[")?: return array()
        default: return scalar()
        }
    }

    private mutating func scalar() -> JSONObject.Value? {
        let start = at
        while let byte = peek, Self.isPartOfScalar(byte) { at += 1 }
        let text = String(decoding: json[start..<at], as: UTF8.self)
        switch text {
        case "true": return .truth(true)
        case "false": return .truth(false)
        case "null": return .other
        default:
            if let number = Int64(text) { return .number(number) }
            return Double(text) == nil ? nil : .other
        }
    }

    private static func isPartOfScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "E"): true
        default: false
        }
    }

    private mutating func string() -> String? {
        guard peek == UInt8(ascii: "\"") else { return nil }
        at += 1
        var bytes: [UInt8] = []
        while let byte = peek {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                bytes += Array(String(scalar).utf8)
            case 0..<0x20: return nil
            default: bytes.append(byte)
            }
        }
        return nil
    }

    /// Reads what follows a backslash.
    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = peek else { return nil }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return unicodeEscape()
        default: return nil
        }
    }

    /// Reads the digits of one character, which may be two of UTF-16.
    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let first = hexDigits() else { return nil }
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
        guard take("\\"), take("u"), let second = hexDigits(), UTF16.isTrailSurrogate(second)
        else { return nil }
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }

    private mutating func hexDigits() -> UInt16? {
        guard at + 4 <= json.count else { return nil }
        let text = String(decoding: json[at..<(at + 4)], as: UTF8.self)
        at += 4
        return text.hasPrefix("+") || text.hasPrefix("-") ? nil : UInt16(text, radix: 16)
    }
}
