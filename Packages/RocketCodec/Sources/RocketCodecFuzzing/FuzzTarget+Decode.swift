import RocketBase
import RocketCodec

extension FuzzTarget {
    static func decodeTinyPB(_ bytes: [UInt8]) throws(FuzzFinding) {
        let codecs = [
            TinyPBCodec(maxFrameBytes: 200), TinyPBCodec(maxFrameBytes: Int(Int32.max)),
            TinyPBCodec(checksum: .sent), TinyPBCodec(checksum: .required),
        ]
        for codec in codecs {
            try walk(bytes, with: codec) { (frameBytes, frame) throws(FuzzFinding) in
                try require(
                    frameBytes.count <= codec.maxFrameBytes,
                    "\(frameBytes.count) bytes exceed the limit")
                try checkLayout(frame, byteCount: frameBytes.count)
            }
        }
    }

    /// Checks that the fields are adjacent, with the fixed fields between them, and fill the frame.
    static func checkLayout(_ frame: TinyPBFrame, byteCount: Int) throws(FuzzFinding) {
        try require(
            frame.messageID.lowerBound == 9
                && frame.methodName.lowerBound == frame.messageID.upperBound + 4
                && frame.errorInfo.lowerBound == frame.methodName.upperBound + 8
                && frame.payload.lowerBound == frame.errorInfo.upperBound
                && frame.payload.upperBound == byteCount - 5, "\(frame) of \(byteCount) bytes")
    }

    static func decodeLengthField(_ bytes: [UInt8]) throws(FuzzFinding) {
        for width in LengthFieldCodec.Width.allCases {
            for endianness in LengthFieldCodec.Endianness.allCases {
                for limit in [16, 64 << 10, .max] {
                    try decodeLengthField(
                        bytes,
                        LengthFieldCodec(
                            width: width, endianness: endianness, maxPayloadBytes: limit))
                }
            }
        }
    }

    private static func decodeLengthField(
        _ bytes: [UInt8], _ codec: LengthFieldCodec
    ) throws(FuzzFinding) {
        try walk(bytes, with: codec) { (frame, payload) throws(FuzzFinding) in
            try require(
                payload == codec.width.rawValue..<frame.count, "\(payload) of \(frame.count)")
            try require(payload.count <= codec.maxPayloadBytes, "\(payload.count) exceed the limit")
            try require(try encode(frame[payload], codec) == frame, "encodes to other bytes")
        }
    }

    private static func encode(
        _ payload: ArraySlice<UInt8>, _ codec: LengthFieldCodec
    ) throws(FuzzFinding) -> [UInt8] {
        let payload = [UInt8](payload)
        var buffer = ByteBuffer()
        do {
            // SAFETY: the span is of an array that lives and does not change until encode returns.
            try codec.encode(unsafe payload.span.bytes, into: &buffer)
        } catch {
            throw FuzzFinding("cannot encode what it decoded: \(error)")
        }
        return buffer.copyBytes()
    }
}
