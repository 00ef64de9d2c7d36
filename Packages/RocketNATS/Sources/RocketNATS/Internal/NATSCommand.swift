import RocketBase

/// What a client sends, appended to its output in place. Subjects were checked before.
enum NATSCommand {
    /// `CONNECT {…}`
    static func connect(_ json: String, to output: inout ByteBuffer) {
        append("CONNECT ", to: &output)
        output.append(utf8: json)
        endLine(&output)
    }

    /// `SUB subject [queue group] sid`
    static func subscribe(
        _ subject: [UInt8], queueGroup: [UInt8], subscription: UInt64,
        to output: inout ByteBuffer
    ) {
        append("SUB ", to: &output)
        output.append(subject)
        if !queueGroup.isEmpty {
            append(" ", to: &output)
            output.append(queueGroup)
        }
        append(" ", to: &output)
        append(number: subscription, to: &output)
        endLine(&output)
    }

    /// `UNSUB sid`
    static func unsubscribe(_ subscription: UInt64, to output: inout ByteBuffer) {
        append("UNSUB ", to: &output)
        append(number: subscription, to: &output)
        endLine(&output)
    }

    /// `PUB subject [reply] bytes`, up to the payload.
    static func publish(
        _ subject: [UInt8], reply: [UInt8], byteCount: Int, to output: inout ByteBuffer
    ) {
        append("PUB ", to: &output)
        output.append(subject)
        if !reply.isEmpty {
            append(" ", to: &output)
            output.append(reply)
        }
        append(" ", to: &output)
        append(number: UInt64(byteCount), to: &output)
        endLine(&output)
    }

    /// The most bytes of a `PUB` besides its subjects and its payload.
    static let publishBytes = 32

    static func ping(to output: inout ByteBuffer) { append("PING\r\n", to: &output) }

    static func pong(to output: inout ByteBuffer) { append("PONG\r\n", to: &output) }

    static func endLine(_ output: inout ByteBuffer) { append("\r\n", to: &output) }

    private static func append(_ text: StaticString, to output: inout ByteBuffer) {
        // SAFETY: the text of the program lives as long as it.
        unsafe output.append(
            UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends decimal digits, without a string between.
    private static func append(number: UInt64, to output: inout ByteBuffer) {
        var divisor = UInt64(1)
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(byte: UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}
