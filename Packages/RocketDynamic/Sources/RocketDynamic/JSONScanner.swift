/// Where a text is no JSON.
struct JSONSyntaxError: Error, Hashable, CustomStringConvertible {
    /// Counted from 1.
    let line: Int
    /// In characters, counted from 1.
    let column: Int
    let message: String

    var description: String { "line \(line), column \(column): \(message)" }
}

/// Checks that a text is JSON as in RFC 8259, and that no object has a name twice. libprotobuf's own
/// parser takes more: single quotes, names without quotes, commas at the end. A value; does not
/// recurse.
struct JSONScanner {
    /// The deepest nesting of objects and arrays.
    static let maxDepth = 100

    private let text: [UInt8]
    private var at = 0
    /// The names of each open object; nil for an array.
    private var open: [Set<String>?] = []

    private init(_ text: String) { self.text = Array(text.utf8) }

    /// - Throws: where the text is wrong.
    static func check(_ text: String) throws(JSONSyntaxError) {
        var scanner = JSONScanner(text)
        try scanner.checkAll()
    }

    private mutating func checkAll() throws(JSONSyntaxError) {
        skipBlanks()
        if at == text.count { throw error("there is no JSON") }
        repeat {
            if try value() { try end() }
        } while !open.isEmpty
        skipBlanks()
        if at < text.count { throw error("something follows the JSON") }
    }

    /// Reads a value, or the beginning of an object or array up to its first value.
    ///
    /// - Returns: whether that was a value: what follows is a comma, or an end.
    private mutating func value() throws(JSONSyntaxError) -> Bool {
        skipBlanks()
        switch peek {
        case UInt8(ascii: "{"):
            try begin([])
            skipBlanks()
            if peek == UInt8(ascii: "}") { return true }
            try name()
            return false
        case UInt8(ascii: "["):
            try begin(nil)
            skipBlanks()
            return peek == UInt8(ascii: "]")
        case UInt8(ascii: "\""): _ = try string()
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): try number()
        default: try word()
        }
        return true
    }

    private mutating func begin(_ names: Set<String>?) throws(JSONSyntaxError) {
        if open.count == Self.maxDepth {
            throw error("it is nested more than \(Self.maxDepth) levels deep")
        }
        at += 1
        open.append(names)
    }

    /// Reads what is behind a value: ends of objects and arrays, up to a comma and the name behind it,
    /// or to the end of the text.
    private mutating func end() throws(JSONSyntaxError) {
        while let names = open.last {
            skipBlanks()
            let isObject = names != nil
            let closing = UInt8(ascii: isObject ? "}" : "]")
            if peek == closing {
                at += 1
                open.removeLast()
                continue
            }
            guard peek == UInt8(ascii: ",") else {
                throw error("expected ',' or '\(isObject ? "}" : "]")'")
            }
            at += 1
            if isObject { try name() }
            return
        }
    }

    private mutating func name() throws(JSONSyntaxError) {
        skipBlanks()
        let start = at
        guard peek == UInt8(ascii: "\"") else { throw error("expected a name in double quotes") }
        let name = try string()
        if open[open.count - 1]?.insert(name).inserted == false {
            at = start
            throw error("the name \"\(name)\" occurs twice")
        }
        skipBlanks()
        guard peek == UInt8(ascii: ":") else { throw error("expected ':'") }
        at += 1
    }

    /// Returns the string as it is written: escapes are not replaced.
    private mutating func string() throws(JSONSyntaxError) -> String {
        let start = at + 1
        at += 1
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                return String(decoding: text[start..<(at - 1)], as: UTF8.self)
            case UInt8(ascii: "\\"): try escape()
            case 0..<0x20: throw error("a control character in a string must be escaped")
            default: at += 1
            }
        }
        throw error("the string has no end")
    }

    private mutating func escape() throws(JSONSyntaxError) {
        at += 1
        switch peek {
        case UInt8(ascii: "u"):
            at += 1
            for _ in 0..<4 {
                guard let byte = peek, Self.isHexadecimal(byte) else {
                    throw error("\\u has four hexadecimal digits")
                }
                at += 1
            }
        case let byte? where #""\/bfnrt"#.utf8.contains(byte): at += 1
        default: throw error("there is no such escape")
        }
    }

    private mutating func number() throws(JSONSyntaxError) {
        if peek == UInt8(ascii: "-") { at += 1 }
        if peek == UInt8(ascii: "0") {
            at += 1
            if let byte = peek, Self.isDigit(byte) { throw error("a number begins with no zero") }
        } else {
            try digits()
        }
        if peek == UInt8(ascii: ".") {
            at += 1
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            at += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { at += 1 }
            try digits()
        }
    }

    private mutating func digits() throws(JSONSyntaxError) {
        guard let byte = peek, Self.isDigit(byte) else { throw error("expected a digit") }
        while let byte = peek, Self.isDigit(byte) { at += 1 }
    }

    private mutating func word() throws(JSONSyntaxError) {
        for word in ["true", "false", "null"] where text[at...].starts(with: word.utf8) {
            at += word.utf8.count
            return
        }
        throw error(at == text.count ? "the JSON has no end" : "expected a value")
    }

    private var peek: UInt8? { at < text.count ? text[at] : nil }

    private mutating func skipBlanks() {
        while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDigit(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    private func error(_ message: String) -> JSONSyntaxError {
        let before = text[..<min(at, text.count)]
        let line = before.lazy.filter { $0 == 0x0A }.count + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let column = String(decoding: before[start...], as: UTF8.self).count + 1
        return JSONSyntaxError(line: line, column: column, message: message)
    }
}
