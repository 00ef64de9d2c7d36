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

    /// The same time in Rocket's own type.
    public var created: WallTime { WallTime(nanoseconds: createdMilliseconds * 1_000_000) }
}

/// An order to be stored, without an id. The caller has validated it.
public struct OrderDraft: Hashable, Sendable {
    /// In the smallest unit of the currency.
    public var price: Int32
    /// The name of the goods.
    public var goods: String
    /// Drafts with the same key result in one order, for as long as the store keeps keys
    /// (`OrderStoreConfiguration.keyRetention`). Nil: every draft is a new order.
    public var idempotencyKey: String?

    /// A draft with these values.
    public init(price: Int32, goods: String, idempotencyKey: String? = nil) {
        self.price = price
        self.goods = goods
        self.idempotencyKey = idempotencyKey
    }
}
