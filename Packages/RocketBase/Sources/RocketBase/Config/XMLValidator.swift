import RocketSystem

/// Validates an XML file before tinyxml parses it: it must be UTF-8, tags must match, references
/// (`&amp;`, `&#65;`) must be complete and name a character, and `XMLLimits` must be kept. tinyxml
/// would change or cut values that break these rules without an error.
///
/// It reads each byte once and tokenises exactly as tinyxml does, so that the limits hold for
/// tinyxml, too. Only `<?…?>` is tokenised differently by tinyxml (a quote in it can hide the rest
/// of the file), so the validator replaces it by blanks.
struct XMLValidator {
    /// The text for tinyxml, after `validate()`.
    private(set) var bytes: [UInt8]
    /// The number of elements, after `validate()`.
    private(set) var elements = 0
    private var offset = 0
    private var line = 1
    private var column = 1
    private var open: [(name: String, line: Int)] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads the whole file; throws at the first error.
    mutating func validate() throws(XMLFailure) {
        guard bytes.count <= XMLLimits.bytes else {
            throw XMLFailure(
                line: 0, column: 0, reason: "the file is larger than \(XMLLimits.bytes) bytes")
        }
        if let position = UTF8Text.firstError(in: bytes) {
            advance(position)
            throw failure("byte 0x\(Self.hex(UInt32(bytes[position]))) is not UTF-8")
        }
        if starts(with: "\u{FEFF}") { offset = 3 }
        while offset < bytes.count { try next() }
        if let last = open.last {
            throw failure("the file ends, but <\(last.name)> on line \(last.line) is not closed")
        }
        if elements == 0 { throw failure("the file contains no element") }
    }

    private mutating func next() throws(XMLFailure) {
        if bytes[offset] != UInt8(ascii: "<") {
            try text()
        } else if starts(with: "</") {
            try endTag()
        } else if starts(with: "<!--") {
            try skip("<!--", past: "-->", "comment")
        } else if starts(with: "<![CDATA["), !open.isEmpty {
            try skip("<![CDATA[", past: "]]>", "CDATA section")
        } else if starts(with: "<?") {
            let start = offset
            try skip("<?", past: "?>", "declaration")
            for index in start..<offset where !Self.isSpace(bytes[index]) {
                bytes[index] = UInt8(ascii: " ")
            }
        } else if offset + 1 < bytes.count, Self.startsName(bytes[offset + 1]) {
            try startTag()
        } else if starts(with: "<!DOCTYPE"), elements == 0 {
            try skip("<!DOCTYPE", past: ">", "document type")
        } else {
            throw failure("found < that begins no tag; write &lt; for the character")
        }
    }

    private mutating func text() throws(XMLFailure) {
        let byte = bytes[offset]
        if open.isEmpty, !Self.isSpace(byte) {
            throw failure("found text outside of the root element")
        }
        try character()
    }

    /// Reads a byte of text or of an attribute, or a whole reference.
    private mutating func character() throws(XMLFailure) {
        let byte = bytes[offset]
        if byte == 0 { throw failure("found a NUL byte") }
        if byte < 0x20, !Self.isSpace(byte) {
            throw failure("found the control character 0x\(Self.hex(UInt32(byte)))")
        }
        if byte == UInt8(ascii: "&") { return try reference() }
        advance()
    }

    /// Reads `&name;`, `&#65;` or `&#x41;`.
    private mutating func reference() throws(XMLFailure) {
        let rest = bytes[(offset + 1)...].prefix(Self.referenceBytes)
        guard let end = rest.firstIndex(of: UInt8(ascii: ";")) else {
            throw failure("found & that begins no reference; write &amp; for the character")
        }
        let name = String(decoding: rest[..<end], as: UTF8.self)
        guard Self.isReference(name) else {
            let allowed = "&amp; &lt; &gt; &quot; &apos; and the numbers of characters"
            throw failure("found \("&\(name);".quotedForMessage); allowed: \(allowed)")
        }
        advance(name.utf8.count + 2)
    }

    /// The largest size of a reference in bytes, without its `&`.
    private static let referenceBytes = 12

    private static func isReference(_ name: String) -> Bool {
        guard name.hasPrefix("#") else {
            return ["amp", "lt", "gt", "quot", "apos"].contains(name)
        }
        let isHex = name.hasPrefix("#x")
        let digits = name.dropFirst(isHex ? 2 : 1)
        // The initialiser of an integer would accept a sign, too.
        guard digits.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let number = UInt32(digits, radix: isHex ? 16 : 10),
            let scalar = Unicode.Scalar(number)
        else { return false }
        return scalar.value >= 0x20 && ![0xFFFE, 0xFFFF].contains(scalar.value)
            || [0x09, 0x0A, 0x0D].contains(scalar.value)
    }

    private mutating func startTag() throws(XMLFailure) {
        let (start, startLine, startColumn) = (offset, line, column)
        advance()
        let name = takeName()
        var quote: UInt8?
        while offset < bytes.count, offset - start <= XMLLimits.tagBytes {
            let byte = bytes[offset]
            if byte == 0 { break }
            if let mark = quote {
                if byte == mark { quote = nil }
                try character()
                continue
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                let closesItself = bytes[offset - 1] == UInt8(ascii: "/")
                advance()
                return try opened(name, startLine, startColumn, closesItself: closesItself)
            }
            advance()
        }
        throw XMLFailure(
            line: startLine, column: startColumn, reason: "the tag <\(name) is not terminated")
    }

    private mutating func opened(
        _ name: String, _ line: Int, _ column: Int, closesItself: Bool
    ) throws(XMLFailure) {
        if open.isEmpty, elements > 0 {
            throw XMLFailure(
                line: line, column: column, reason: "found a second root element, <\(name)>")
        }
        elements += 1
        if elements > XMLLimits.elements {
            throw failure("the file contains more than \(XMLLimits.elements) elements")
        }
        if closesItself { return }
        open.append((name, line))
        if open.count > XMLLimits.depth {
            throw XMLFailure(
                line: line, column: column,
                reason: "elements are nested deeper than \(XMLLimits.depth)")
        }
    }

    private mutating func endTag() throws(XMLFailure) {
        let (line, column) = (self.line, self.column)
        advance(2)
        let name = takeName()
        guard let last = open.popLast() else {
            throw XMLFailure(
                line: line, column: column, reason: "found </\(name)>, but no element is open")
        }
        guard name == last.name else {
            let expected = "</\(last.name)> for line \(last.line)"
            throw XMLFailure(
                line: line, column: column, reason: "found </\(name)>; allowed: \(expected)")
        }
        while offset < bytes.count, Self.isSpace(bytes[offset]) { advance() }
        guard starts(with: ">") else {
            throw XMLFailure(line: line, column: column, reason: "the tag is not terminated")
        }
        advance()
    }

    /// Reads a name by the rules of tinyxml. A long name is cut, to limit the size of messages.
    private mutating func takeName() -> String {
        let start = offset
        while offset < bytes.count, Self.continuesName(bytes[offset]) { advance() }
        return String(decoding: bytes[start..<min(offset, start + 255)], as: UTF8.self)
    }

    private mutating func skip(
        _ opening: String, past end: String, _ what: String
    ) throws(XMLFailure) {
        let (line, column) = (self.line, self.column)
        advance(opening.utf8.count)
        while offset < bytes.count, bytes[offset] != 0 {
            if starts(with: end) { return advance(end.utf8.count) }
            advance()
        }
        throw XMLFailure(line: line, column: column, reason: "the \(what) is not terminated")
    }

    private func starts(with text: String) -> Bool {
        bytes[offset...].starts(with: text.utf8)
    }

    /// Moves on by `count` bytes and updates line and column. Continuation bytes of UTF-8 do not
    /// count as columns.
    private mutating func advance(_ count: Int = 1) {
        let end = min(offset + count, bytes.count)
        for byte in bytes[offset..<end] {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        offset = end
    }

    private func failure(_ reason: String) -> XMLFailure {
        XMLFailure(line: line, column: column, reason: reason)
    }

    private static func startsName(_ byte: UInt8) -> Bool {
        byte >= 0x7F || byte == UInt8(ascii: "_")
            || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        startsName(byte) || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }

    private static func hex(_ number: UInt32) -> String {
        String(number, radix: 16, uppercase: true)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (byte >= 0x09 && byte <= 0x0D)
    }
}

/// Limits on the input. tinyxml has none, and recurses once per level of nesting.
enum XMLLimits {
    static let bytes = 1 << 20
    static let depth = 32
    static let elements = 20_000
    /// The largest size of a tag in bytes: for each attribute of an element tinyxml searches all of
    /// them.
    static let tagBytes = 1024
}
