public import RocketSystem

/// An order as the store keeps it: never changed once made.
public struct Order: Hashable, Sendable {
    /// Unique; what the client got back.
    public let id: OrderID
    /// In the shop's smallest unit of money.
    public let price: Int32
    /// What was bought.
    public let goods: String
    /// Unix time of the transaction that stored it, in whole milliseconds.
    public let createdMilliseconds: Int64

    /// The same moment as the rest of Rocket writes it.
    public var created: WallTime { WallTime(nanoseconds: createdMilliseconds * 1_000_000) }
}

/// What to store: an order that has no id yet. The caller has checked it.
public struct OrderDraft: Hashable, Sendable {
    /// In the shop's smallest unit of money.
    public var price: Int32
    /// What is bought.
    public var goods: String
    /// The same key means the same order, for as long as the store keeps keys
    /// (`OrderStoreConfiguration.keyRetention`). Nil: every draft is a new order.
    public var idempotencyKey: String?

    /// An order to be made.
    public init(price: Int32, goods: String, idempotencyKey: String? = nil) {
        self.price = price
        self.goods = goods
        self.idempotencyKey = idempotencyKey
    }
}
