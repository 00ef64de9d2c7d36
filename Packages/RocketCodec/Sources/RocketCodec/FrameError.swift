/// A stream that breaks a rule of its format: which rule, where, and what was there instead.
public struct FrameError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The rules of docs/wire-format.md, by name.
    public enum Rule: String, Sendable {
        case startMarker = "start marker"
        case frameLength = "frame length"
        case messageIDLength = "msg_id length"
        case methodNameLength = "method_name length"
        case errorInfoLength = "err_info length"
        case checksum = "checksum"
        case endMarker = "end marker"
    }

    /// The broken rule.
    public let rule: Rule
    /// Where in the frame the offending field begins, in bytes from the frame's first.
    public let offset: Int
    /// The field's value, as it was read.
    public let found: Int64
    /// The lowest and highest value that would have been right.
    public let allowed: ClosedRange<Int64>
    /// Where the message id lies, when the frame's outline was sound and so it can be answered.
    public let messageID: Range<Int>?

    /// An error of this or of a codec of your own; the parts are the properties above.
    public init(
        _ rule: Rule, at offset: Int, found: Int64, allowed: ClosedRange<Int64>,
        messageID: Range<Int>? = nil
    ) {
        self.rule = rule
        self.offset = offset
        self.found = found
        self.allowed = allowed
        self.messageID = messageID
    }

    /// `msg_id length at offset 5: found -1, allowed 0 to 32`.
    public var description: String {
        let range =
            allowed.lowerBound == allowed.upperBound
            ? "\(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)"
        return "\(rule.rawValue) at offset \(offset): found \(found), allowed \(range)"
    }
}
