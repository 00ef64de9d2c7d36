/// The elements of a JSON array as texts.
enum JSONElements {
    /// Splits an array at the commas of its first level. What the elements are is for their reader to
    /// judge: only strings and brackets are looked at.
    ///
    /// - Returns: nil for what is no array.
    static func split(_ text: some StringProtocol) -> [String]? {
        let bytes = Array(text.utf8)
        guard let first = bytes.firstIndex(where: { !isSpace($0) }),
            bytes[first] == UInt8(ascii: "["),
            let last = bytes.lastIndex(where: { !isSpace($0) }), last > first
        else { return nil }
        var elements: [String] = []
        var (depth, start, isString, isEscaped) = (0, first + 1, false, false)
        for index in first...last {
            let byte = bytes[index]
            if isString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                if depth == 0, index < last { return nil }
            case UInt8(ascii: ",") where depth == 1:
                elements.append(String(decoding: bytes[start..<index], as: UTF8.self))
                start = index + 1
            default: break
            }
        }
        guard depth == 0, bytes[last] == UInt8(ascii: "]") else { return nil }
        let rest = bytes[start..<last]
        if !elements.isEmpty || rest.contains(where: { !isSpace($0) }) {
            elements.append(String(decoding: rest, as: UTF8.self))
        }
        return elements
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }
}
