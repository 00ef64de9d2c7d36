/// A key, or a combination of keys.
enum Key: Hashable {
    case text(Unicode.Scalar)
    case enter, backspace, delete
    case left, right, wordLeft, wordRight, home, end
    case up, down
    /// Ctrl-U, Ctrl-K, Ctrl-W.
    case eraseToStart, eraseToEnd, eraseWord
    /// Ctrl-C.
    case interrupt
    /// Ctrl-D.
    case endOfInput
    /// Ctrl-L.
    case redraw
    /// Ctrl-Z.
    case suspend
}

/// Decodes the bytes of a terminal into keys, in whatever parts they arrive. A pure value.
///
/// Pasted text that the terminal marks (`ESC [ 200 ~` to `ESC [ 201 ~`, bracketed paste) is text
/// only: its line ends are line feeds and not Enter, its other control characters and sequences
/// but tabs are dropped.
struct KeyDecoder {
    private enum State {
        case plain
        case escape
        /// After `ESC [` or `ESC O`, with the bytes since.
        case sequence([UInt8])
        /// Within a UTF-8 character: its bytes so far, and its length.
        case character([UInt8], Int)
    }

    private var state = State.plain
    private var isPasting = false
    /// The last byte was a carriage return in pasted text.
    private var followsReturn = false
    /// A longer sequence is invalid.
    private static let sequenceLimit = 16

    /// Returns the key that this byte completes; nil if it completes none.
    mutating func decode(_ byte: UInt8) -> Key? {
        guard let key = key(byte) else { return nil }
        if case .text = key { return key }
        return isPasting ? nil : key
    }

    private mutating func key(_ byte: UInt8) -> Key? {
        switch state {
        case .plain: return plain(byte)
        case .escape: return escaped(byte)
        case .sequence(let before): return sequence(before, byte)
        case .character(let before, let length): return character(before, length, byte)
        }
    }

    private mutating func plain(_ byte: UInt8) -> Key? {
        if isPasting, byte < 0x20, byte != 0x1B { return pasted(byte) }
        followsReturn = false
        switch byte {
        case 0x1B: state = .escape
        case 0x20...0x7E: return .text(Unicode.Scalar(byte))
        case 0xC2...0xDF: state = .character([byte], 2)
        case 0xE0...0xEF: state = .character([byte], 3)
        case 0xF0...0xF4: state = .character([byte], 4)
        default: return Self.control[byte]
        }
        return nil
    }

    private mutating func pasted(_ control: UInt8) -> Key? {
        let follows = followsReturn
        followsReturn = control == UInt8(ascii: "\r")
        switch control {
        case UInt8(ascii: "\t"): return .text("\t")
        case UInt8(ascii: "\r"): return .text("\n")
        case UInt8(ascii: "\n"): return follows ? nil : .text("\n")
        default: return nil
        }
    }

    private mutating func escaped(_ byte: UInt8) -> Key? {
        state = .plain
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "O"): state = .sequence([])
        case UInt8(ascii: "b"): return .wordLeft
        case UInt8(ascii: "f"): return .wordRight
        case 0x1B: state = .escape
        // Alt with a key that has no function.
        default: break
        }
        return nil
    }

    private mutating func sequence(_ before: [UInt8], _ byte: UInt8) -> Key? {
        // The sequence is incomplete; this one may end a paste.
        if byte == 0x1B {
            state = .escape
            return nil
        }
        let whole = before + [byte]
        guard (0x40...0x7E).contains(byte) else {
            state = whole.count < Self.sequenceLimit ? .sequence(whole) : .plain
            return nil
        }
        state = .plain
        let name = String(decoding: whole, as: UTF8.self)
        if name == "200~" || name == "201~" {
            isPasting = name == "200~"
            return nil
        }
        return Self.sequences[name]
    }

    private mutating func character(_ before: [UInt8], _ length: Int, _ byte: UInt8) -> Key? {
        state = .plain
        // The incomplete character is lost; this byte may begin another one.
        guard (0x80...0xBF).contains(byte) else { return plain(byte) }
        let whole = before + [byte]
        if whole.count < length {
            state = .character(whole, length)
            return nil
        }
        return String(validating: whole, as: UTF8.self)?.unicodeScalars.first.map { .text($0) }
    }

    private static let control: [UInt8: Key] = [
        0x01: .home, 0x02: .left, 0x03: .interrupt, 0x04: .endOfInput, 0x05: .end, 0x06: .right,
        0x08: .backspace, 0x0A: .enter, 0x0B: .eraseToEnd, 0x0C: .redraw, 0x0D: .enter,
        0x0E: .down, 0x10: .up, 0x15: .eraseToStart, 0x17: .eraseWord, 0x1A: .suspend,
        0x7F: .backspace,
    ]

    /// The sequences of xterm, the Linux console, screen and tmux.
    private static let sequences: [String: Key] = [
        "A": .up, "B": .down, "C": .right, "D": .left, "H": .home, "F": .end,
        "1~": .home, "7~": .home, "4~": .end, "8~": .end, "3~": .delete,
        "1;5C": .wordRight, "1;5D": .wordLeft, "1;3C": .wordRight, "1;3D": .wordLeft,
    ]
}
