public import RocketBase

/// Encodes and decodes metadata: `rkm1\n`, then lines `key=value\n` with percent-encoded values.
public enum MetadataBlock {
    /// The limit of a block for a peer of which no more is known, in bytes: C++ peers overflow a
    /// buffer with longer err_info.
    public static let defaultLimitBytes = 511
    /// The limit of a block for a peer that has announced it (`limit=8192`), in bytes.
    public static let announcedLimitBytes = 8192

    /// What the keys of trailing metadata begin with in the block of a reply.
    static let trailingPrefix = "trailing-"

    /// Writes the block to an empty buffer. Writes nothing if there is nothing to be written.
    ///
    /// - Parameters:
    ///   - trailing: in the block of a reply its trailing metadata, whose keys are written behind
    ///     `trailing-`, so that no key in `metadata` may begin with that; nil for a request.
    ///   - timeoutMilliseconds: written as `timeout-ms`, in place of that key in `metadata`; a value
    ///     below 0 is written as 0, a deadline that has passed.
    ///   - announcesLimit: whether to write `limit=8192`, in place of that key in `metadata`: the
    ///     peer may send so much from then on. A server's first block on a connection has it.
    ///   - limitBytes: longest allowed block, in bytes; default `defaultLimitBytes`. See
    ///     `announcedLimit`.
    /// - Throws: `MetadataError` if the block exceeds `limitBytes` or a key is invalid; the buffer
    ///   is empty then.
    public static func write(
        _ metadata: Metadata, trailing: Metadata? = nil, timeoutMilliseconds: Int64? = nil,
        announcesLimit: Bool = false, to buffer: inout ByteBuffer,
        limitBytes: Int = defaultLimitBytes
    ) throws(MetadataError) {
        precondition(buffer.isEmpty, "MetadataBlock: the buffer is not empty")
        if metadata.isEmpty, trailing?.isEmpty ?? true, timeoutMilliseconds == nil,
            !announcesLimit
        {
            return
        }
        appendMagic(&buffer)
        if let timeoutMilliseconds {
            buffer.append(utf8: timeoutKey)
            appendDecimal(max(0, timeoutMilliseconds), &buffer)
            buffer.append(byte: UInt8(ascii: "\n"))
        }
        if announcesLimit { buffer.append(utf8: "limit=\(announcedLimitBytes)\n") }
        for entry in metadata.entries {
            if timeoutMilliseconds != nil, entry.key == "timeout-ms" { continue }
            if announcesLimit, entry.key == "limit" { continue }
            if trailing != nil, entry.key.hasPrefix(trailingPrefix) {
                buffer.truncate(to: 0)
                throw .reservedKey(entry.key)
            }
            try append(entry, to: &buffer)
        }
        for entry in trailing?.entries ?? [] { try append(entry, trailingPrefix, to: &buffer) }
        if buffer.readableBytes > limitBytes {
            let error = MetadataError.tooLarge(bytes: buffer.readableBytes, limit: limitBytes)
            buffer.truncate(to: 0)
            throw error
        }
    }

    /// Appends a line; an invalid key empties the buffer.
    private static func append(
        _ entry: Metadata.Entry, _ prefix: String = "", to buffer: inout ByteBuffer
    ) throws(MetadataError) {
        guard Metadata.isValid(key: entry.key) else {
            buffer.truncate(to: 0)
            throw .invalidKey(entry.key)
        }
        buffer.append(utf8: prefix)
        buffer.append(utf8: entry.key)
        buffer.append(byte: UInt8(ascii: "="))
        appendPercentEncoded(entry.value, &buffer)
        buffer.append(byte: UInt8(ascii: "\n"))
    }

    /// Reads a block. Skips lines that are not `key=value` and values that are not percent-encoded
    /// UTF-8.
    ///
    /// - Returns: nil if the bytes do not begin with `rkm1\n` and so are not a block.
    public static func read(_ bytes: RawSpan) -> Metadata? {
        guard isBlock(bytes) else { return nil }
        var metadata = Metadata()
        forEachLine(bytes) { key, value in
            guard let key = text(bytes, key), let value = decode(bytes, value) else { return }
            metadata.add(value, for: key)
        }
        return metadata
    }

    /// Reads the block of a reply as `read` does, without the keys that mean something in the block
    /// itself (such as `limit`), and separates its trailing metadata, whose keys are without `trailing-`
    /// then.
    ///
    /// - Returns: nil if the bytes are no block.
    public static func readReply(
        _ bytes: RawSpan
    ) -> (metadata: Metadata, trailing: Metadata)? {
        guard let both = read(bytes) else { return nil }
        var trailing = Metadata()
        guard
            both.entries.contains(where: {
                $0.key.hasPrefix(trailingPrefix) || isOfBlock(key: $0.key)
            })
        else { return (both, trailing) }
        var metadata = Metadata()
        for entry in both.entries where !isOfBlock(key: entry.key) {
            guard entry.key.hasPrefix(trailingPrefix) else {
                metadata.add(entry.value, for: entry.key)
                continue
            }
            let key = String(entry.key.dropFirst(trailingPrefix.utf8.count))
            // A key that is nothing but the prefix is invalid, and skipped as others are.
            if !key.isEmpty { trailing.add(entry.value, for: key) }
        }
        return (metadata, trailing)
    }

    /// Whether a key means something in a block itself, and so is no metadata of an application.
    private static func isOfBlock(key: String) -> Bool {
        switch key {
        case "limit", "load", "timeout-ms", "stream", "window": true
        default: false
        }
    }

    /// Returns how long a block its sender takes, in bytes, as announced by `limit`: from
    /// `defaultLimitBytes` to `announcedLimitBytes`. Returns nil if the bytes are no block or
    /// announce nothing.
    public static func announcedLimit(_ bytes: RawSpan) -> Int? {
        guard isBlock(bytes) else { return nil }
        var found: Int?
        forEachLine(bytes) { key, value in
            guard equals(bytes, key, "limit"), let number = decimal(bytes, value) else { return }
            found = Int(min(max(number, Int64(defaultLimitBytes)), Int64(announcedLimitBytes)))
        }
        return found
    }

    /// Returns the value of `timeout-ms`, in milliseconds, 0 or more, without decoding other entries.
    /// Returns nil if there is no such entry, or if it is not a number that fits an Int64.
    public static func timeoutMilliseconds(_ bytes: RawSpan) -> Int64? {
        guard isBlock(bytes) else { return nil }
        var found: Int64?
        forEachLine(bytes) { key, value in
            guard equals(bytes, key, "timeout-ms") else { return }
            if let number = decimal(bytes, value) {
                found = number
            } else if let text = decode(bytes, value) {
                // Rare: digits may be percent-encoded too.
                let digits = [UInt8](text.utf8)
                // SAFETY: the span is of an array that lives, unchanged, until decimal returns.
                found = decimal(unsafe digits.span.bytes, digits.indices)
            }
        }
        return found
    }

    /// Returns where the value of a key is in a block, as it was sent: percent-encoded. The last one
    /// if there are several; nil if there is none, or the bytes are no block.
    public static func value(of key: StaticString, in bytes: RawSpan) -> Range<Int>? {
        guard isBlock(bytes) else { return nil }
        var found: Range<Int>?
        forEachLine(bytes) { if equals(bytes, $0, key) { found = $1 } }
        return found
    }

    /// Decodes a value of a block; nil for an invalid escape or invalid UTF-8.
    public static func text(of value: Range<Int>, in bytes: RawSpan) -> String? {
        decode(bytes, value)
    }

    private static let timeoutKey = "timeout-ms="

    /// Whether the bytes begin with `rkm1\n`, the start of a block.
    public static func isBlock(_ bytes: RawSpan) -> Bool {
        bytes.byteCount >= 5 && bytes.loadBigEndian(0, as: UInt32.self) == 0x726B_6D31
            && bytes.loadBigEndian(4, as: UInt8.self) == UInt8(ascii: "\n")
    }

    static func appendMagic(_ buffer: inout ByteBuffer) {
        buffer.append(bigEndian: 0x726B_6D31 as UInt32)
        buffer.append(byte: UInt8(ascii: "\n"))
    }

    /// Calls `body` with the ranges of the key and the encoded value of each line.
    private static func forEachLine(_ bytes: RawSpan, _ body: (Range<Int>, Range<Int>) -> Void) {
        var start = 5
        while start < bytes.byteCount {
            // A line without a newline was truncated, so it is skipped.
            guard let end = bytes.firstIndex(of: UInt8(ascii: "\n"), in: start..<bytes.byteCount)
            else { return }
            if let equals = bytes.firstIndex(of: UInt8(ascii: "="), in: start..<end) {
                body(start..<equals, (equals + 1)..<end)
            }
            start = end + 1
        }
    }
}
