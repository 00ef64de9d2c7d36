import RocketCodec

/// A data frame that is over the frame limit of its receiver.
struct OversizedData {
    let id: [UInt8]
    let payloadBytes: Int

    enum Inspection {
        case data(OversizedData)
        case other
        /// Its head has not arrived.
        case needMore
    }

    /// Inspects a frame whose first bytes are `bytes`.
    static func inspect(_ frame: OversizedFrame, _ bytes: RawSpan) -> Inspection {
        let name = StreamFrame.dataName
        let nameStart = frame.messageID.upperBound + 4
        guard bytes.byteCount >= nameStart else { return .needMore }
        guard number(bytes, at: nameStart - 4) == name.count else { return .other }
        let infoStart = nameStart + name.count + 8
        guard bytes.byteCount >= infoStart else { return .needMore }
        // SAFETY: the array is never changed.
        guard
            sameBytes(
                bytes.extracting(nameStart..<(nameStart + name.count)), unsafe name.span.bytes)
        else { return .other }
        let infoBytes = Int(number(bytes, at: infoStart - 4))
        let payloadBytes = frame.byteCount - infoStart - infoBytes - 5
        if payloadBytes < 0 { return .other }
        return .data(
            OversizedData(
                id: bytes.extracting(frame.messageID).copied, payloadBytes: payloadBytes))
    }

    private static func number(_ bytes: RawSpan, at offset: Int) -> UInt32 {
        // SAFETY: the caller has checked that 4 bytes are there.
        UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
