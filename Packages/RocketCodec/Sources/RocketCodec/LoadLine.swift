public import RocketBase

/// What a server reports of its load in the metadata block of a reply: the line `load`. See
/// docs/wire-format.md, "Load". A value.
public struct LoadLine: Hashable, Sendable {
    /// The share of its capacity that is in use; 0: unknown. May exceed 1.
    public var utilization: Double
    /// The calls that it answers per second.
    public var callsPerSecond: Double
    /// Those of them that it fails.
    public var errorsPerSecond: Double

    /// Creates a line from its numbers, 0 to 999,999,999; others are written as the nearest, and
    /// what is no number as 0.
    public init(utilization: Double, callsPerSecond: Double, errorsPerSecond: Double) {
        self.utilization = utilization
        self.callsPerSecond = callsPerSecond
        self.errorsPerSecond = errorsPerSecond
    }

    /// Reads the line of a block.
    ///
    /// - Returns: nil if the bytes are no block, or it has no such line, or one of another form.
    public init?(block: RawSpan) {
        guard let value = MetadataBlock.value(of: "load", in: block) else { return nil }
        let bytes = block.extracting(value)
        var reader = NumberReader()
        guard let utilization = reader.number(bytes), reader.blank(bytes),
            let calls = reader.number(bytes), reader.blank(bytes),
            let errors = reader.number(bytes), reader.isAtEnd(bytes)
        else { return nil }
        self.init(utilization: utilization, callsPerSecond: calls, errorsPerSecond: errors)
    }

    /// Appends the line to a block, which is begun if the buffer is empty. Appends nothing if the
    /// block would be longer than the limit, in bytes.
    public func append(to block: inout ByteBuffer, limitBytes: Int) {
        let before = block.readableBytes
        if before == 0 { MetadataBlock.appendMagic(&block) }
        block.append(utf8: "load=")
        Self.append(utilization, to: &block)
        block.append(utf8: "%20")
        Self.append(callsPerSecond, to: &block)
        block.append(utf8: "%20")
        Self.append(errorsPerSecond, to: &block)
        block.append(byte: UInt8(ascii: "\n"))
        if block.readableBytes > limitBytes { block.truncate(to: before) }
    }

    /// Appends a number with up to six places.
    private static func append(_ number: Double, to block: inout ByteBuffer) {
        let bounded = number > 0 ? min(number, 999_999_999) : 0
        let millionths = Int64((bounded * 1_000_000).rounded())
        MetadataBlock.appendDecimal(millionths / 1_000_000, &block)
        var rest = millionths % 1_000_000
        if rest == 0 { return }
        block.append(byte: UInt8(ascii: "."))
        var place: Int64 = 100_000
        while rest > 0 {
            block.append(byte: UInt8(ascii: "0") + UInt8(rest / place))
            rest %= place
            place /= 10
        }
    }
}

/// Reads numbers of digits from the value of a line.
private struct NumberReader {
    private var offset = 0

    /// Takes 1 to 9 digits, and up to six more behind a point.
    mutating func number(_ bytes: RawSpan) -> Double? {
        guard let (whole, count) = digits(bytes), count > 0 else { return nil }
        if !take(".", bytes) { return whole }
        guard let (places, placeCount) = digits(bytes), placeCount > 0, placeCount <= 6 else {
            return nil
        }
        var scale = 1.0
        for _ in 0..<placeCount { scale *= 10 }
        return (whole * scale + places) / scale
    }

    /// Takes a blank, which may be percent-encoded.
    mutating func blank(_ bytes: RawSpan) -> Bool {
        if take(" ", bytes) { return true }
        return take("%", bytes) && take("2", bytes) && take("0", bytes)
    }

    func isAtEnd(_ bytes: RawSpan) -> Bool { offset == bytes.byteCount }

    /// Takes digits, of which there may be none; nil: more than nine.
    private mutating func digits(_ bytes: RawSpan) -> (value: Double, count: Int)? {
        var value = 0.0
        let start = offset
        while offset < bytes.byteCount {
            let digit = bytes.loadBigEndian(offset, as: UInt8.self) &- UInt8(ascii: "0")
            if digit > 9 { break }
            if offset - start == 9 { return nil }
            value = value * 10 + Double(digit)
            offset += 1
        }
        return (value, offset - start)
    }

    private mutating func take(_ character: Unicode.Scalar, _ bytes: RawSpan) -> Bool {
        guard offset < bytes.byteCount,
            bytes.loadBigEndian(offset, as: UInt8.self) == UInt8(ascii: character)
        else { return false }
        offset += 1
        return true
    }
}
