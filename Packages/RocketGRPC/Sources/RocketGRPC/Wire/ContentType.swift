import RocketBase

/// The value of content-type.
enum ContentType {
    /// What this side sends.
    static let sent = "application/grpc"

    /// Whether a body of this type has messages of Protobuf in gRPC's framing: `application/grpc` or
    /// `application/grpc+proto`, with or without parameters, in any case.
    static func isGRPC(_ value: RawSpan) -> Bool {
        if value.equals("application/grpc") { return true }
        var end = 0
        while end < value.byteCount, value.byte(end) != UInt8(ascii: ";") { end += 1 }
        while end > 0, value.byte(end - 1) == UInt8(ascii: " ") { end -= 1 }
        let type = value.extracting(..<end)
        return equals(type, "application/grpc") || equals(type, "application/grpc+proto")
    }

    /// Compares without regard to case.
    static func equals(_ bytes: RawSpan, _ text: StaticString) -> Bool {
        guard bytes.byteCount == text.utf8CodeUnitCount else { return false }
        for index in 0..<bytes.byteCount {
            var byte = bytes.byte(index)
            if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) { byte |= 0x20 }
            // SAFETY: the bytes of a StaticString are never freed, and the index is below its count.
            if unsafe byte != text.utf8Start[index] { return false }
        }
        return true
    }
}
