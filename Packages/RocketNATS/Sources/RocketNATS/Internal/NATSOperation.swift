/// The operations of a server. A value.
enum NATSOperation: UInt8 {
    case info, message, messageWithHeaders, ping, pong, ok, error

    /// The name, and the bytes that it has in a line.
    private var name: StaticString {
        switch self {
        case .info: "INFO"
        case .message: "MSG"
        case .messageWithHeaders: "HMSG"
        case .ping: "PING"
        case .pong: "PONG"
        case .ok: "+OK"
        case .error: "-ERR"
        }
    }

    var byteCount: Int { name.utf8CodeUnitCount }

    /// Returns the operation at the start of a line, in letters of either case; nil: there are too few
    /// bytes to know. The byte behind its name belongs to it: a blank, or the line's end.
    static func find(in text: Span<UInt8>) throws(NATSProtocolError) -> NATSOperation? {
        guard text.count > 1 else {
            if text.count == 1, first(text[0], nil) == nil { throw unknown(text, 0) }
            return nil
        }
        guard let operation = first(text[0], text[1]) else {
            throw unknown(text, first(text[0], nil) == nil ? 0 : 1)
        }
        let count = operation.byteCount
        for index in 1..<max(1, min(count, text.count))
        where upper(text[index]) != operation.letter(at: index) {
            throw unknown(text, index)
        }
        if text.count <= count { return nil }
        switch text[count] {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): return operation
        default: throw unknown(text, count)
        }
    }

    /// Returns the only operation with these letters; with one letter, one of them.
    private static func first(_ first: UInt8, _ second: UInt8?) -> NATSOperation? {
        switch upper(first) {
        case UInt8(ascii: "I"): .info
        case UInt8(ascii: "M"): .message
        case UInt8(ascii: "H"): .messageWithHeaders
        case UInt8(ascii: "+"): .ok
        case UInt8(ascii: "-"): .error
        case UInt8(ascii: "P"):
            switch second.map(upper) {
            case UInt8(ascii: "I"), nil: .ping
            case UInt8(ascii: "O"): .pong
            default: nil
            }
        default: nil
        }
    }

    private func letter(at index: Int) -> UInt8 {
        // SAFETY: the callers' index is less than the name's length.
        unsafe name.utf8Start[index]
    }

    private static func upper(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte - 32 : byte
    }

    private static func unknown(_ text: Span<UInt8>, _ index: Int) -> NATSProtocolError {
        var found = ""
        for position in 0...index {
            let byte = text[position]
            found +=
                (0x20..<0x7F).contains(byte)
                ? String(Unicode.Scalar(byte)) : "\\x" + String(byte, radix: 16)
        }
        return NATSProtocolError(
            .operation, at: index,
            "found \"\(found)\", allowed INFO, MSG, HMSG, PING, PONG, +OK or -ERR")
    }
}
