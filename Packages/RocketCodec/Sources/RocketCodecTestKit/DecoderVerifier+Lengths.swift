public import RocketCodec

extension DecoderVerifier {
    /// Sets each length field of a frame to many wrong values, alone and together with each other
    /// field, and decodes the result whole, truncated after the field, and with another frame after
    /// it.
    ///
    /// The codec must throw a `FrameError`, need more bytes, or return a frame that is within the
    /// bytes. A codec that traps ends the process, which fails the test, too.
    ///
    /// - Parameters:
    ///   - frame: one valid frame.
    ///   - fields: its length fields.
    ///   - limitBytes: longest frame of this codec, in bytes: it must not wait for more; default
    ///     no limit.
    ///   - ranges: returns the parts of a frame, as offsets from its first byte.
    /// - Throws: `DecoderVerificationFailure` for the first input with a wrong result.
    public func verifyLengths(
        of frame: [UInt8], _ fields: [LengthField], limitBytes: Int = .max,
        ranges: (Codec.Frame) -> [Range<Int>]
    ) throws {
        guard case .frame(_, frame.count)? = try? step(frame) else {
            throw DecoderVerificationFailure(
                description: "the unchanged input \(frame) is not a frame")
        }
        let correct = fields.map { $0.value(in: frame) }
        for (index, field) in fields.enumerated() {
            for value in field.wrongValues(in: frame, others: correct) {
                var wrong = frame
                field.set(value, in: &wrong)
                let how = "length at \(field.offset) set to \(value)"
                try check(wrong, field, limitBytes, how, ranges)
                for (other, second) in fields.enumerated() where other != index {
                    // Includes values whose sum overflows, and values with the original sum.
                    let balance = correct[other] &+ correct[index] &- value
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
        try checkResult(frame, limitBytes, how, ranges)
        try checkResult(header, limitBytes, how + ", truncated after it", ranges)
        try checkResult(frame + frame, limitBytes, how + ", twice", ranges)
    }

    private func checkResult(
        _ bytes: [UInt8], _ limitBytes: Int, _ how: String, _ ranges: (Codec.Frame) -> [Range<Int>]
    ) throws {
        func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws {
            if !condition {
                throw DecoderVerificationFailure(
                    description: "\(how) (\(bytes.count) bytes): \(rule())")
            }
        }
        let result: FrameStep<Codec.Frame>
        do {
            result = try step(bytes)
        } catch {
            let isValid = error.offset >= 0 && error.offset < bytes.count
            return try require(isValid, "the error has an offset outside the bytes: \(error)")
        }
        switch result {
        case .needMore(let atLeast):
            try require(atLeast > bytes.count, "needs \(atLeast) bytes, which are available")
            try require(atLeast <= limitBytes, "needs \(atLeast) bytes, more than its limit")
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
        // SAFETY: the span is of an array that lives and does not change until step returns.
        try codec.step(unsafe bytes.span.bytes)
    }
}
