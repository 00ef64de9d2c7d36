import RocketBase
import RocketCodec

/// How a data frame of a stream is marked whose part of a message is compressed, and how one is passed
/// on that can't be decompressed. See docs/wire-format.md, "Compression".
enum DataFrame {
    /// What the err_info of a compressed data frame says beside the encoding.
    struct Info: Equatable {
        /// The bytes of the part without compression; nil: it is not said, or out of range.
        let length: Int?
        /// Whether the message continues in the next frame.
        let hasMore: Bool
    }

    static func isData(_ name: RawSpan) -> Bool { StreamFrame(name) == .data }

    /// Appends the lines of a compressed frame's err_info behind that of the encoding.
    ///
    /// - Parameter length: 1 to `StreamFrame.maxDataBytes`.
    static func appendLines(length: Int, hasMore: Bool, to buffer: inout ByteBuffer) {
        buffer.append(utf8: "length=")
        var divisor = 1
        while length / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            buffer.append(
                byte: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: length / divisor % 10))
            divisor /= 10
        }
        buffer.append(utf8: hasMore ? "\nmore=1\n" : "\n")
    }

    /// Reads the err_info of a compressed frame.
    static func readInfo(_ info: RawSpan) -> Info {
        let value = MetadataBlock.value(of: "length", in: info)
        return Info(
            length: value.flatMap { length(info, $0) },
            hasMore: MetadataBlock.value(of: "more", in: info) != nil)
    }

    private static func length(_ info: RawSpan, _ digits: Range<Int>) -> Int? {
        // More than 65,536 has more digits, or is found too large.
        if digits.isEmpty || digits.count > 5 { return nil }
        var length = 0
        for index in digits {
            let digit = info.byte(index) &- UInt8(ascii: "0")
            if digit > 9 { return nil }
            length = length * 10 + Int(digit)
        }
        return (1...StreamFrame.maxDataBytes).contains(length) ? length : nil
    }

    // MARK: Those that fail their call

    /// Appends a data frame with an error: it fails its call, and counts against the credit as the
    /// part does that could not be decompressed.
    static func append(
        _ error: RPCError, length: Int, _ messageID: RawSpan, _ codec: TinyPBCodec,
        to output: inout ByteBuffer
    ) {
        let (text, name) = ([UInt8](error.message.utf8), StreamFrame.dataName)
        // SAFETY: the arrays live, unchanged, until begin returns.
        let start = unsafe codec.begin(
            messageID: messageID, methodName: name.span.bytes, errorCode: error.code.rawValue,
            errorInfo: text.span.bytes, in: &output)
        output.append(bigEndian: UInt64(length))
        // At most 511 bytes of text; the frame that it replaces is within the limit.
        try? codec.finish(start, in: &output)
    }

    /// Reads a data frame with an error: the part that it counts as, and the error.
    static func failure(_ frame: TinyPBFrame, _ bytes: RawSpan) -> (OversizedData, RPCError) {
        let payload = bytes.extracting(frame.payload)
        var length = payload.byteCount
        if length == 8 {
            let number = UInt64(payload.integer(0)) << 32 | UInt64(payload.integer(4))
            length = Int(clamping: number)
        }
        let text = String(decodingUTF8: bytes.extracting(frame.errorInfo))
        return (
            OversizedData(
                id: bytes.extracting(frame.messageID).copied, payloadBytes: length),
            RPCError(RPCErrorCode(rawValue: frame.errorCode), text)
        )
    }
}
