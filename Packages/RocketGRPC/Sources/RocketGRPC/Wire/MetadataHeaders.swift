import RocketBase
import RocketCodec

/// Translates between HTTP/2's header fields and the lines of a metadata block (docs/wire-format.md,
/// "Metadata"), without making texts of them.
enum MetadataHeaders {
    /// Whether a field belongs to HTTP or gRPC, and so is no metadata. `grpc-previous-rpc-attempts`
    /// is metadata: handlers may want to know it (gRFC A6).
    static func isReserved(_ name: RawSpan) -> Bool {
        guard name.byteCount > 0 else { return true }
        return switch name.byte(0) {
        case UInt8(ascii: ":"): true
        case UInt8(ascii: "g"):
            name.hasPrefix("grpc-") && !name.equals("grpc-previous-rpc-attempts")
        case UInt8(ascii: "c"):
            name.equals("content-type") || name.equals("connection")
                || name.equals("content-length")
        case UInt8(ascii: "t"):
            name.equals("te") || name.equals("trailer") || name.equals("transfer-encoding")
        case UInt8(ascii: "h"): name.equals("host") || name.equals("http2-settings")
        // A peer resets streams with fields of HTTP/1's connections (RFC 9113, 8.2.2).
        case UInt8(ascii: "k"): name.equals("keep-alive")
        case UInt8(ascii: "p"): name.equals("proxy-connection")
        case UInt8(ascii: "u"): name.equals("upgrade")
        default: false
        }
    }

    /// Whether a key means something in a metadata block itself. A peer must not set it by a header
    /// field of that name, nor is it sent as one.
    static func isOfBlock(_ name: RawSpan) -> Bool {
        switch name.byteCount {
        case 4: name.equals("load")
        case 5: name.equals("limit")
        case 6: name.equals("stream") || name.equals("window")
        case 10: name.equals("timeout-ms")
        default: false
        }
    }

    /// Appends the start of a block.
    static func appendStart(to block: inout ByteBuffer) { block.append(utf8: "rkm1\n") }

    /// Appends the line of a field that is metadata; nothing for other fields, and for names that
    /// are no keys of metadata. Values of `-bin` fields stay base64; several in one field, separated
    /// by commas, become as many lines.
    static func append(_ name: RawSpan, _ value: RawSpan, to block: inout ByteBuffer) {
        if isReserved(name) || isOfBlock(name) || !isKey(name) { return }
        if !name.hasSuffix("-bin") { return appendLine(name, value, to: &block) }
        var start = 0
        for index in 0...value.byteCount
        where index == value.byteCount || value.byte(index) == UInt8(ascii: ",") {
            appendLine(name, value.extracting(value.trimmed(start..<index)), to: &block)
            start = index + 1
        }
    }

    private static func isKey(_ name: RawSpan) -> Bool {
        for index in 0..<name.byteCount where !isKeyByte(name.byte(index)) { return false }
        return name.byteCount > 0
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func appendLine(
        _ name: RawSpan, _ value: RawSpan, to block: inout ByteBuffer
    ) {
        block.append(name)
        block.append(byte: UInt8(ascii: "="))
        // Clients send `user-agent` with each call.
        // SAFETY: there is room for the longest text, and the source lies within the span.
        let (start, _) = unsafe block.slot(minimum: 3 * value.byteCount + 1)
        var end = unsafe start
        for index in 0..<value.byteCount {
            let byte = unsafe value.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
            if isUnreserved(byte) {
                unsafe end.storeBytes(of: byte, as: UInt8.self)
                unsafe end += 1
            } else {
                unsafe end.storeBytes(of: UInt8(ascii: "%"), as: UInt8.self)
                unsafe end.storeBytes(of: hexDigit(byte >> 4), toByteOffset: 1, as: UInt8.self)
                unsafe end.storeBytes(of: hexDigit(byte & 15), toByteOffset: 2, as: UInt8.self)
                unsafe end += 3
            }
        }
        unsafe end.storeBytes(of: UInt8(ascii: "\n"), as: UInt8.self)
        unsafe end += 1
        unsafe block.commit(end - start)
    }

    /// Whether a byte of a value stays as it is: letters, digits, `-`, `.`, `_` and `~`, each a bit.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        let bits: UInt64 = byte < 64 ? 0x03FF_6000_0000_0000 : 0x47FF_FFFE_87FF_FFFE
        return byte < 128 && bits &>> UInt64(byte & 63) & 1 != 0
    }
}

extension MetadataHeaders {
    /// Whether a block has entries other than those that mean something in the block itself.
    static func hasEntries(_ block: RawSpan) -> Bool {
        guard MetadataBlock.isBlock(block) else { return false }
        var start = 5
        while start < block.byteCount {
            var end = start
            while end < block.byteCount, block.byte(end) != UInt8(ascii: "=") { end += 1 }
            if end < block.byteCount, !isOfBlock(block.extracting(start..<end)) { return true }
            while end < block.byteCount, block.byte(end) != UInt8(ascii: "\n") { end += 1 }
            start = end + 1
        }
        return false
    }

    /// Returns the entries of a block that can be header fields.
    ///
    /// - Parameter problem: receives the key of an entry that can't be one, because its value is not
    ///   printable ASCII or begins or ends with a space, or its key belongs to HTTP or gRPC.
    static func fields(
        _ block: RawSpan, _ problem: (String) -> Void = { _ in }
    ) -> [(name: String, value: String)] {
        guard hasEntries(block), let metadata = MetadataBlock.read(block) else { return [] }
        return fields(metadata, problem)
    }

    /// Returns the entries that can be header fields, as above.
    static func fields(
        _ metadata: Metadata, _ problem: (String) -> Void = { _ in }
    ) -> [(name: String, value: String)] {
        if metadata.isEmpty { return [] }
        var fields: [(name: String, value: String)] = []
        for entry in metadata.entries {
            let key = [UInt8](entry.key.utf8)
            // SAFETY: the span is of an array that lives, unchanged, until both functions return.
            let name = unsafe key.span.bytes
            if isOfBlock(name) { continue }
            if isReserved(name) || !isFieldValue(entry.value) {
                problem(entry.key)
            } else {
                fields.append((entry.key, entry.value))
            }
        }
        return fields
    }

    /// Whether a text can be the value of a field in gRPC.
    static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && text.utf8.first != 0x20
            && text.utf8.last != 0x20
    }
}
