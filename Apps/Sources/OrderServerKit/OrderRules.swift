import OrderStoring

/// The limits of orders and pages. A value.
public struct OrderRules: Hashable, Sendable {
    /// The minimum price. Default 10.
    public var minPrice: Int32 = 10
    /// The longest name of goods, in bytes of UTF-8. Default 1024.
    public var maxGoodsBytes = 1024
    /// The longest idempotency key, in bytes of UTF-8. Default 128.
    public var maxKeyBytes = 128
    /// Orders on a page if the client requests no number. Default 50.
    public var defaultPageSize = 50
    /// Orders on a page at most. Default 500.
    public var maxPageSize = 500

    /// The defaults.
    public init() {}

    /// Returns why an order is refused; nil if it may be made.
    func refusal(of draft: OrderDraft) -> OrderRefusal? {
        if draft.price < minPrice { return .shortBalance }
        if draft.goods.isEmpty { return .emptyGoods }
        if draft.goods.utf8.count > maxGoodsBytes { return .goodsTooLong(limit: maxGoodsBytes) }
        // SQLite's text functions end at a zero byte.
        if draft.goods.utf8.contains(0) { return .zeroByte }
        guard let key = draft.idempotencyKey else { return nil }
        let isValid = !key.isEmpty && key.utf8.count <= maxKeyBytes && !key.utf8.contains(0)
        return isValid ? nil : .badKey(limit: maxKeyBytes)
    }

    /// Returns the size of a page for a requested size; 0 or less requests the default.
    func pageSize(_ requested: Int32) -> Int {
        requested <= 0 ? defaultPageSize : min(Int(requested), maxPageSize)
    }
}
