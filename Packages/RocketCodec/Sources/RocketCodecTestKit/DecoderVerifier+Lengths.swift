public import RocketCodec

extension DecoderVerifier {
    /// Makes each length field of a frame wrong in every way, alone and together with each other
    /// field, and gives the codec the result whole, cut after the field, and with more behind it.
    ///
    /// The codec has to refuse it with a `FrameError`, to ask for more than it has, or to find a
    /// frame all of which lies in the bytes. A codec that traps takes the process with it: that is
    /// a failure too.
    /// - Parameters:
    ///   - frame: one sound frame.
    ///   - fields: where its lengths stand.
    ///   - limitBytes: the longest frame of this codec: it must never wait for more.
    ///   - ranges: the parts of a frame, as offsets from its first byte.
    /// - Throws: `DecoderVerificationFailure` for the first input that goes wrong.
    public func verifyLengths(
        of frame: [UInt8], _ fields: [LengthField], limitBytes: Int = .max,
        ranges: (Codec.Frame) -> [Range<Int>]
    ) throws {
        guard case .frame(_, frame.count)? = try? step(frame) else {
            throw DecoderVerificationFailure(description: "to begin with, \(frame) is no frame")
        }
        let right = fields.map { $0.value(in: frame) }
        for (index, field) in fields.enumerated() {
            for value in field.wrongValues(in: frame, others: right) {
                var wrong = frame
                field.set(value, in: &wrong)
                let how = "length at \(field.offset) set to \(value)"
                try check(wrong, field, limitBytes, how, ranges)
                for (other, second) in fields.enumerated() where other != index {
                    // Among these are values that together overflow, and such as balance out.
                    let balance = right[other] &+ right[index] &- value
                    for value in second.wrongValues(in: frame, others: [value, balance]) {
                        var both = wrong
                        second.set(value, in: &both)
                        try check(
                            both, second, limitBytes,
                            how + ", at \(second.offset) to \(value)", ranges)
                    }
                    var both = wrong
                    second.set(balance & second.mask, in: &both)
                    try check(both, second, limitBytes, how + ", balanced", ranges)
                }
            }
        }
    }

    private func check(
        _ frame: [UInt8], _ field: LengthField, _ limitBytes: Int, _ how: String,
        _ ranges: (Codec.Frame) -> [Range<Int>]
    ) throws {
        let header = [UInt8](frame[..<(field.offset + field.width)])
        try checkAnswer(frame, limitBytes, how, ranges)
        try checkAnswer(header, limitBytes, how + ", cut after it", ranges)
        try checkAnswer(frame + frame, limitBytes, how + ", twice", ranges)
    }

    private func checkAnswer(
        _ bytes: [UInt8], _ limitBytes: Int, _ how: String, _ ranges: (Codec.Frame) -> [Range<Int>]
    ) throws {
        func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws {
            if !condition {
                throw DecoderVerificationFailure(
                    description: "\(how) (\(bytes.count) bytes): \(rule())")
            }
        }
        let answer: FrameStep<Codec.Frame>
        do {
            answer = try step(bytes)
        } catch {
            let sound = error.offset >= 0 && error.offset < bytes.count
            return try require(sound, "the error points outside the bytes: \(error)")
        }
        switch answer {
        case .needMore(let atLeast):
            try require(atLeast > bytes.count, "asks for \(atLeast) bytes, which are there")
            try require(atLeast <= limitBytes, "waits for \(atLeast) bytes, past its limit")
        case .frame(let frame, let byteCount):
            try require(
                byteCount > 0 && byteCount <= bytes.count && byteCount <= limitBytes,
                "a frame of \(byteCount) bytes")
            for range in ranges(frame) {
                try require(
                    range.lowerBound >= 0 && range.upperBound <= byteCount,
                    "\(range) lies outside the frame of \(byteCount) bytes")
            }
        }
    }

    private func step(_ bytes: [UInt8]) throws(FrameError) -> FrameStep<Codec.Frame> {
        // SAFETY: the span is of an array that lives, unchanged, until step returns.
        try codec.step(unsafe bytes.span.bytes)
    }
}
