public import RocketSystem

/// A stored order. Immutable.
public struct Order: Hashable, Sendable {
    /// Unique; returned to the client.
    public let id: OrderID
    /// In the smallest unit of the currency.
    public let price: Int32
    /// The name of the goods.
    public let goods: String
    /// Unix time of the transaction that stored it, in whole milliseconds.
    public let createdMilliseconds: Int64

    /// The same time in Rocket's own type, clamped to its range of 292 years around 1970.
    public var created: WallTime {
        let (nanoseconds, overflow) =
            createdMilliseconds
            .multipliedReportingOverflow(by: 1_000_000)
        let limit: Int64 = createdMilliseconds < 0 ? .min : .max
        return WallTime(nanoseconds: overflow ? limit : nanoseconds)
    }

    /// Whether a draft orders the same. Texts are compared by their bytes, as databases do: Swift's `==`
    /// takes one letter that is written in two ways as equal.
    package func isSame(as draft: OrderDraft) -> Bool {
        price == draft.price && goods.utf8.elementsEqual(draft.goods.utf8)
    }

    package init(id: OrderID, price: Int32, goods: String, createdMilliseconds: Int64) {
        self.id = id
        self.price = price
        self.goods = goods
        self.createdMilliseconds = createdMilliseconds
    }
}

/// An order to be stored, without an id. The caller has validated it.
public struct OrderDraft: Hashable, Sendable {
    /// In the smallest unit of the currency.
    public var price: Int32
    /// The name of the goods.
    public var goods: String
    /// Drafts with the same key result in one order, for as long as the store keeps
    /// keys. Nil: every draft is a new order.
    public var idempotencyKey: String?

    /// A draft with these values.
    public init(price: Int32, goods: String, idempotencyKey: String? = nil) {
        self.price = price
        self.goods = goods
        self.idempotencyKey = idempotencyKey
    }
}
