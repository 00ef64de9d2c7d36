/// One page of the list of orders, oldest first.
public struct OrderPage: Hashable, Sendable {
    /// At most as many as were asked for.
    public let orders: [Order]
    /// Where the next page begins; nil when this is the last one.
    public let next: OrderPageToken?
}

/// A place between two orders of the list. Orders are never taken out of the list nor put in
/// before its end, so a token stays good for ever.
public struct OrderPageToken: Hashable, Sendable, CustomStringConvertible {
    /// The page begins behind this order; 0 is the list's beginning.
    let after: Int64

    /// The beginning of the list.
    public static let start = OrderPageToken(after: 0)

    /// So that a token of another kind or time is refused instead of misread.
    private static let mark = "p1-"

    init(after: Int64) { self.after = after }

    /// Reads a token as `description` writes it; nil for any other text.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.mark),
            let after = Int64(text.dropFirst(Self.mark.count), radix: 36), after > 0
        else { return nil }
        self.after = after
        guard text == description else { return nil }
    }

    /// Opaque to clients: only to be sent back.
    public var description: String { Self.mark + String(after, radix: 36) }
}
