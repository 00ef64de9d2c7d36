import RocketBase
public import RocketCodec

/// Decodes what NATS servers send: lines, of which those of messages announce a payload
/// ([the protocol](https://docs.nats.io/reference/reference-protocols/nats-protocol)). A value without
/// state; any thread.
@frozen
public struct NATSCodec: Hashable, Sendable {
    /// The longest line but that of `INFO`, without its end, in bytes. 4096, as servers have it.
    public static let maxLineBytes = 4096
    /// The longest line of `INFO`, in bytes: 64 servers of a cluster fit.
    public static let maxInfoBytes = 16 << 10

    /// The longest message that is decoded, its headers included, in bytes; default 8 MiB, the most
    /// that NATS recommends. 0 to 64 MiB, clamped.
    public let maxMessageBytes: Int

    /// Creates a codec.
    public init(maxMessageBytes: Int = 8 << 20) {
        self.maxMessageBytes = min(max(0, maxMessageBytes), 64 << 20)
    }

    /// Inspects the start of a stream, as `FrameCodec.step` does. `bytes` can be empty, and can hold
    /// several operations.
    ///
    /// Nothing is consumed or copied; every offset is within `bytes`, and the result does not depend on
    /// bytes after the operation.
    ///
    /// - Throws: if the bytes break a rule; the rest of the stream is then unusable. Each rule is
    ///   checked as soon as its bytes are there.
    public func step(_ bytes: RawSpan) throws(NATSProtocolError) -> FrameStep<NATSFrame> {
        let text = Span<UInt8>(_bytes: bytes)
        guard let operation = try NATSOperation.find(in: text) else {
            return .needMore(atLeast: text.count + 1)
        }
        let limit = operation == .info ? Self.maxInfoBytes : Self.maxLineBytes
        guard let end = try lineEnd(of: text, limit: limit) else {
            return .needMore(atLeast: text.count + 1)
        }
        let arguments = Self.trimmed(operation.byteCount..<end, in: text)
        let next = end + 2
        switch operation {
        case .info: return .frame(.info(arguments), byteCount: next)
        case .ping: return .frame(.ping, byteCount: next)
        case .pong: return .frame(.pong, byteCount: next)
        case .ok: return .frame(.ok, byteCount: next)
        case .error:
            return .frame(.error(Self.withoutQuotes(arguments, in: text)), byteCount: next)
        case .message:
            return try message(text, arguments, hasHeaders: false, payloadStart: next)
        case .messageWithHeaders:
            return try message(text, arguments, hasHeaders: true, payloadStart: next)
        }
    }

    // MARK: Lines

    /// Returns the offset of the CR that ends the line; nil: it has not ended.
    private func lineEnd(of text: Span<UInt8>, limit: Int) throws(NATSProtocolError) -> Int? {
        // One more than the limit: the CR of the longest line.
        let searched = min(text.count, limit + 1)
        var index = 0
        while index < searched, text[index] != UInt8(ascii: "\r") {
            if text[index] == UInt8(ascii: "\n") {
                throw NATSProtocolError(.lineEnd, at: index, "found LF, allowed CR LF")
            }
            index += 1
        }
        if index > limit {
            throw NATSProtocolError(.lineLength, at: 0, "found more, allowed 0 to \(limit)")
        }
        if index == searched { return nil }
        if index + 1 == text.count { return nil }
        try expect(UInt8(ascii: "\n"), at: index + 1, in: text)
        return index
    }

    private func expect(
        _ byte: UInt8, at index: Int, in text: Span<UInt8>
    ) throws(NATSProtocolError) {
        if text[index] == byte { return }
        throw NATSProtocolError(.lineEnd, at: index, "found byte \(text[index]), allowed \(byte)")
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func trimmed(_ range: Range<Int>, in text: Span<UInt8>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isBlank(text[start]) { start += 1 }
        while start < end, isBlank(text[end - 1]) { end -= 1 }
        return start..<end
    }

    private static func withoutQuotes(_ range: Range<Int>, in text: Span<UInt8>) -> Range<Int> {
        let quote = UInt8(ascii: "'")
        guard range.count >= 2, text[range.lowerBound] == quote, text[range.upperBound - 1] == quote
        else { return range }
        return (range.lowerBound + 1)..<(range.upperBound - 1)
    }

    // MARK: Messages

    /// `subject sid [reply] [header bytes] total bytes`
    private func message(
        _ text: Span<UInt8>, _ line: Range<Int>, hasHeaders: Bool, payloadStart: Int
    ) throws(NATSProtocolError) -> FrameStep<NATSFrame> {
        var words = Words(line, in: text)
        let least = hasHeaders ? 4 : 3
        guard words.count == least || words.count == least + 1 else {
            throw NATSProtocolError(
                .arguments, at: line.lowerBound,
                "found \(words.count), allowed \(least) to \(least + 1)")
        }
        let hasReply = words.count > least
        let subject = words.next(in: text)
        let subscription = try number(words.next(in: text), in: text)
        let reply = hasReply ? words.next(in: text) : subject.upperBound..<subject.upperBound
        var headerBytes = 0
        if hasHeaders {
            headerBytes = try length(words.next(in: text), in: text, limit: maxMessageBytes)
        }
        let total = words.next(in: text)
        let totalBytes = try length(total, in: text, limit: maxMessageBytes)
        if headerBytes > totalBytes {
            throw NATSProtocolError(
                .payloadLength, at: total.lowerBound,
                "found \(totalBytes) with headers of \(headerBytes)")
        }
        let end = payloadStart + totalBytes
        guard text.count >= end + 2 else { return .needMore(atLeast: end + 2) }
        try expect(UInt8(ascii: "\r"), at: end, in: text)
        try expect(UInt8(ascii: "\n"), at: end + 1, in: text)
        let message = NATSMessage(
            subject: subject, subscription: subscription, reply: reply,
            headers: payloadStart..<(payloadStart + headerBytes),
            payload: (payloadStart + headerBytes)..<end)
        return .frame(.message(message), byteCount: end + 2)
    }

    private func length(
        _ range: Range<Int>, in text: Span<UInt8>, limit: Int
    ) throws(NATSProtocolError) -> Int {
        let found = try number(range, in: text)
        if found <= UInt64(limit) { return Int(found) }
        throw NATSProtocolError(
            .payloadLength, at: range.lowerBound, "found \(found), allowed 0 to \(limit)")
    }

    private func number(
        _ range: Range<Int>, in text: Span<UInt8>
    ) throws(NATSProtocolError) -> UInt64 {
        var value = UInt64(0)
        for index in range {
            let digit = text[index] &- UInt8(ascii: "0")
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = tens.addingReportingOverflow(UInt64(digit))
            if digit > 9 || isTooLarge || isStillTooLarge {
                throw NATSProtocolError(
                    .number, at: index, "found byte \(text[index]), allowed a digit of 64 bits")
            }
            value = sum
        }
        return value
    }

    /// The words of a line, one after another. A value.
    private struct Words {
        private var rest: Range<Int>
        let count: Int

        init(_ line: Range<Int>, in text: Span<UInt8>) {
            rest = line
            var count = 0
            var wasBlank = true
            for index in line {
                let isBlank = NATSCodec.isBlank(text[index])
                if wasBlank, !isBlank { count += 1 }
                wasBlank = isBlank
            }
            self.count = count
        }

        /// Returns the next word; empty behind the last one.
        mutating func next(in text: Span<UInt8>) -> Range<Int> {
            var start = rest.lowerBound
            while start < rest.upperBound, NATSCodec.isBlank(text[start]) { start += 1 }
            var end = start
            while end < rest.upperBound, !NATSCodec.isBlank(text[end]) { end += 1 }
            rest = end..<rest.upperBound
            return start..<end
        }
    }
}
