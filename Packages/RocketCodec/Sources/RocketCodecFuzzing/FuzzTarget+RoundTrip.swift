import RocketBase
import RocketCodec

extension FuzzTarget {
    /// Checks that each decoded frame encodes to the same bytes, with checksum 1 if it has that and
    /// with CRC32C otherwise, and that the frame with a checksum decodes to the same fields.
    static func decodeEncodeDecode(_ bytes: [UInt8]) throws(FuzzFinding) {
        let plain = TinyPBCodec(maxErrorInfoBytes: .max)
        let summed = TinyPBCodec(checksum: .required, maxErrorInfoBytes: .max)
        let verifying = TinyPBCodec(checksum: .sent)
        try walk(bytes, with: verifying) { (frameBytes, frame) throws(FuzzFinding) in
            let isSummed = frameBytes[(frameBytes.count - 5)...].dropLast() != [0, 0, 0, 1]
            let withSum = try encode(frameBytes, frame, summed)
            try require(
                try (isSummed ? withSum : encode(frameBytes, frame, plain)) == frameBytes,
                "encodes to other bytes")
            var count = 0
            try walk(withSum, with: summed) { (_, again) throws(FuzzFinding) in
                count += 1
                try require(again == frame, "\(frame) decodes to \(again)")
            }
            try require(count == 1, "\(count) frames decoded from one")
        }
    }

    private static func encode(
        _ bytes: [UInt8], _ frame: TinyPBFrame, _ codec: TinyPBCodec
    ) throws(FuzzFinding) -> [UInt8] {
        var buffer = ByteBuffer()
        // SAFETY: the spans are of an array that lives and does not change to the end of this function.
        buffer.append(utf8: "before")
        let start = unsafe codec.begin(
            messageID: bytes.span.bytes.extracting(frame.messageID),
            methodName: bytes.span.bytes.extracting(frame.methodName),
            errorCode: frame.errorCode,
            errorInfo: bytes.span.bytes.extracting(frame.errorInfo), in: &buffer)
        unsafe buffer.append(bytes.span.bytes.extracting(frame.payload))
        do {
            try codec.finish(start, in: &buffer)
        } catch {
            throw FuzzFinding("cannot encode what it decoded: \(error)")
        }
        return [UInt8](buffer.copyBytes()[start...])
    }
}
