import RocketBase

// Bytes of headers, compared and parsed without a copy.

extension RawSpan {
    /// The byte at `index`, which must be within the span.
    @inline(__always)
    func byte(_ index: Int) -> UInt8 {
        // Traps out of range.
        precondition(index >= 0 && index < byteCount)
        // SAFETY: the index is checked above.
        return unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }

    /// Whether the bytes are those of `text`.
    @inline(__always)
    func equals(_ text: StaticString) -> Bool {
        byteCount == text.utf8CodeUnitCount && hasPrefix(text)
    }

    /// Whether the bytes are those of `other`.
    func equals(_ other: RawSpan) -> Bool {
        if byteCount != other.byteCount { return false }
        var index = 0
        while index + 8 <= byteCount {
            // SAFETY: the eight bytes are within both spans.
            let word = unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            let its = unsafe other.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index, as: UInt64.self)
            if word != its { return false }
            index += 8
        }
        while index < byteCount {
            if byte(index) != other.byte(index) { return false }
            index += 1
        }
        return true
    }

    /// Whether the bytes begin with those of `text`.
    func hasPrefix(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        if byteCount < count { return false }
        // SAFETY: the bytes of a StaticString are never freed, and all offsets are below its count,
        // which is at most that of the span.
        let bytes = unsafe UnsafeRawPointer(text.utf8Start)
        func isEqual<Word: FixedWidthInteger & BitwiseCopyable>(_ index: Int, _: Word.Type) -> Bool
        {
            unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: Word.self)
                == bytes.loadUnaligned(fromByteOffset: index, as: Word.self)
        }
        var index = 0
        while index + 8 <= count {
            if !isEqual(index, UInt64.self) { return false }
            index += 8
        }
        // The last bytes, together with some of those before.
        if index == count { return true }
        if count >= 8 { return isEqual(count - 8, UInt64.self) }
        if count >= 4 { return isEqual(0, UInt32.self) && isEqual(count - 4, UInt32.self) }
        while index < count {
            if !isEqual(index, UInt8.self) { return false }
            index += 1
        }
        return true
    }

    /// Whether the bytes end with those of `text`.
    func hasSuffix(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        return byteCount >= count && extracting((byteCount - count)...).equals(text)
    }

    /// The index of the last `byte`.
    func lastIndex(of wanted: UInt8) -> Int? {
        var index = byteCount - 1
        while index >= 0 {
            if byte(index) == wanted { return index }
            index -= 1
        }
        return nil
    }

    /// Returns the range without the spaces at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, byte(start) == UInt8(ascii: " ") { start += 1 }
        while start < end, byte(end - 1) == UInt8(ascii: " ") { end -= 1 }
        return start..<end
    }

    /// The number that the bytes are, of 1 to 18 decimal digits; nil for anything else.
    var decimal: Int? {
        if byteCount == 0 || byteCount > 18 { return nil }
        var value = 0
        for index in 0..<byteCount {
            let digit = byte(index) &- UInt8(ascii: "0")
            if digit > 9 { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// The integer of 8 bytes; nil for another length.
    var bigEndian: UInt64? {
        if byteCount != 8 { return nil }
        var value: UInt64 = 0
        for index in 0..<8 { value = value << 8 | UInt64(byte(index)) }
        return value
    }

    /// The beginning of the bytes as text, for a peer that has sent them: an answer is not much longer
    /// than what it answers, which may be a byte (HPACK), and never exceeds a list of headers.
    var excerpt: String { byteCount <= 64 ? text : extracting(first: 64).text + "…" }

    /// The bytes as text, in which invalid UTF-8 is U+FFFD.
    var text: String {
        // SAFETY: the pointer does not escape from the closure.
        unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension ByteBuffer {
    /// Appends the digits of `value`, which must be 0 or more.
    mutating func append(decimal value: Int) {
        var count = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        // SAFETY: the offsets are below the number of digits, for which there is room.
        _ = unsafe write(minimum: count) { output in
            var rest = value
            for index in stride(from: count - 1, through: 0, by: -1) {
                unsafe output[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            return count
        }
    }
}

/// The value of a hexadecimal digit; nil for any other byte.
func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
}

/// The hexadecimal digit of a number below 16, in upper case.
func hexDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") + nibble - 10
}
