/// One page of the list of orders, oldest first.
public struct OrderPage: Hashable, Sendable {
    /// At most as many as were requested.
    public let orders: [Order]
    /// The start of the next page; nil if this is the last one.
    public let next: OrderPageToken?

    package init(orders: [Order], next: OrderPageToken?) {
        self.orders = orders
        self.next = next
    }

    /// About how much memory the orders take.
    package var byteCount: Int {
        orders.reduce(0) { $0 + $1.goods.utf8.count + MemoryLayout<Order>.stride }
    }
}

/// A position between two orders of the list. Orders are only appended to the list, so a token
/// stays valid for ever.
public struct OrderPageToken: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The page begins behind the order with this sequence number; 0: at the first order.
    package let after: Int64

    /// The beginning of the list.
    public static let start = OrderPageToken(after: 0)

    /// The version of the format. Other versions are refused rather than misread.
    private static let version = "p1-"

    package init(after: Int64) { self.after = after }

    /// The position behind an order.
    public init(after id: OrderID) { self.init(after: id.sequence) }

    /// Whether a position comes before another one.
    public static func < (a: Self, b: Self) -> Bool { a.after < b.after }

    /// Parses the format of `description`; nil for any other text.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.version),
            let after = Int64(text.dropFirst(Self.version.count), radix: 36), after > 0
        else { return nil }
        self.after = after
        guard text == description else { return nil }
    }

    /// Opaque to clients, which only send it back.
    public var description: String { Self.version + String(after, radix: 36) }
}
