import RocketBase
import RocketCodec

/// Returns the bytes of hexadecimal digits; white space is ignored.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }
    return stride(from: 0, to: digits.count, by: 2).compactMap { offset in
        let start = digits.index(digits.startIndex, offsetBy: offset)
        return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
    }
}

enum Golden {
    static let request = hex(
        """
        02 0000003a 00000008 3939393938383838 0000000f 4f726465722e6d616b654f72646572
        00000000 00000000 086412056170706c65 00000001 03
        """)
    static let response = hex(
        """
        02 0000003f 00000008 3939393938383838 0000000f 4f726465722e6d616b654f72646572
        00000000 00000000 12024f4b1a083230323330353134 00000001 03
        """)
}

/// Encodes a frame.
func makeFrame(
    _ codec: TinyPBCodec = TinyPBCodec(), id: String = "99998888",
    method: String = "Order.makeOrder",
    code: Int32 = 0, info: String = "", payload: [UInt8] = []
) throws -> [UInt8] {
    var buffer = ByteBuffer()
    let (id, method, info) = ([UInt8](id.utf8), [UInt8](method.utf8), [UInt8](info.utf8))
    let start = codec.begin(
        messageID: id.span.bytes, methodName: method.span.bytes, errorCode: code,
        errorInfo: info.span.bytes, in: &buffer)
    buffer.append(payload)
    try codec.finish(start, in: &buffer)
    return buffer.copyBytes()
}

extension TinyPBCodec {
    /// Returns the frame if it occupies all bytes; nil otherwise.
    func whole(_ bytes: [UInt8]) throws(FrameError) -> TinyPBFrame? {
        guard case .frame(let frame, bytes.count) = try step(bytes.span.bytes) else { return nil }
        return frame
    }
}

extension Array<UInt8> {
    /// Returns a copy with a big-endian Int32 at `offset`.
    func setting(_ value: Int32, at offset: Int) -> [UInt8] {
        var copy = self
        for (index, shift) in [24, 16, 8, 0].enumerated() {
            copy[offset + index] = UInt8(truncatingIfNeeded: value >> Int32(shift))
        }
        return copy
    }

    func text(_ range: Range<Int>) -> String { String(decoding: self[range], as: UTF8.self) }
}
