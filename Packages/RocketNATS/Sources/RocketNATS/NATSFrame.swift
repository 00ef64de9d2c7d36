/// What a NATS server has sent, as offsets into the bytes that were given to `NATSCodec.step`, valid
/// while these are. A value.
@frozen
public enum NATSFrame: Hashable, Sendable {
    /// `INFO`: what the server is and demands, as JSON (`NATSServerInfo`).
    case info(Range<Int>)
    /// `MSG` or `HMSG`: a message of a subscription.
    case message(NATSMessage)
    /// `PING`, which is answered by `PONG`.
    case ping
    /// `PONG`: everything that was sent before the `PING` has been processed.
    case pong
    /// `+OK`, which is sent to clients that ask for it only.
    case ok
    /// `-ERR`: what the server refuses, without its quotes.
    case error(Range<Int>)
}

/// The parts of a message, as offsets into the bytes that were given to `NATSCodec.step`. A value.
@frozen
public struct NATSMessage: Hashable, Sendable {
    /// The subject that it was published to, which has no wildcards.
    public let subject: Range<Int>
    /// The number of the subscription (its `sid`).
    public let subscription: UInt64
    /// The subject for replies; empty: none is expected.
    public let reply: Range<Int>
    /// The block of headers, `NATS/1.0` and its empty line included; empty: there is none.
    public let headers: Range<Int>
    /// What was published.
    public let payload: Range<Int>
}

/// A rule of NATS' protocol that a server has broken: its stream is unusable from there on. A value.
public struct NATSProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The rules.
    public enum Rule: String, Sendable {
        /// The line begins with none of the operations of a server.
        case operation
        /// The line is longer than allowed.
        case lineLength = "line length"
        /// The line does not end by CR LF, or the payload does not.
        case lineEnd = "line end"
        /// The operation has too few arguments, or too many.
        case arguments
        /// The argument is no whole number, or one of more than 64 bits.
        case number
        /// The message is longer than allowed, or its headers are longer than the whole.
        case payloadLength = "payload length"
        /// The JSON of `INFO` is none, or lacks what it must have.
        case info
        /// The operation may not come now.
        case order
    }

    /// The broken rule.
    public let rule: Rule
    /// Where, in bytes from the start of the operation.
    public let offset: Int
    /// What was found, and what is allowed.
    public let text: String

    init(_ rule: Rule, at offset: Int, _ text: String) {
        self.rule = rule
        self.offset = offset
        self.text = text
    }

    /// `NATS payload length at offset 10: found 2000000, allowed 0 to 1048576`.
    public var description: String { "NATS \(rule.rawValue) at offset \(offset): \(text)" }
}
