/// The side of a connection that a session plays.
public enum HTTP2Role: Sendable {
    /// Answers requests; its streams are those of the peer, with odd numbers.
    case server
    /// Sends requests.
    case client
}

/// Identifies a stream on its connection. A client's have odd numbers, which only grow.
public struct HTTP2StreamID: RawRepresentable, Hashable, Comparable, Sendable {
    /// The number on the wire, 1 to 2³¹ − 1; 0 is the connection.
    public let rawValue: Int32

    /// Makes the identifier of a number.
    @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Returns whether `a` was opened before `b`, of streams that the same side has opened.
    @inlinable public static func < (a: HTTP2StreamID, b: HTTP2StreamID) -> Bool {
        a.rawValue < b.rawValue
    }
}

extension HTTP2StreamID: CustomStringConvertible {
    /// The number in decimal.
    public var description: String { "\(rawValue)" }
}
