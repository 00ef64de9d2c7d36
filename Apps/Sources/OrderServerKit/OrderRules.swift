import OrderStore

/// What the shop accepts.
public struct OrderRules: Hashable, Sendable {
    /// The least that an order may cost.
    public var minPrice: Int32 = 10
    /// How long the name of the goods may be, in bytes of UTF-8.
    public var maxGoodsBytes = 1024
    /// How long an idempotency key may be, in bytes of UTF-8.
    public var maxKeyBytes = 128
    /// Orders on a page of the list when the client does not say how many it wants.
    public var defaultPageSize = 50
    /// Orders on a page of the list at most, whatever the client wants.
    public var maxPageSize = 500

    /// The shop's usual rules.
    public init() {}

    /// Why there is no such order, or nil when it may be made.
    func refusal(of draft: OrderDraft) -> OrderRefusal? {
        if draft.price < minPrice { return .shortBalance }
        if draft.goods.isEmpty { return .emptyGoods }
        if draft.goods.utf8.count > maxGoodsBytes { return .goodsTooLong(limit: maxGoodsBytes) }
        // SQLite's text functions end at a zero byte; nothing that people buy contains one.
        if draft.goods.utf8.contains(0) { return .zeroByte }
        guard let key = draft.idempotencyKey else { return nil }
        let isKey = !key.isEmpty && key.utf8.count <= maxKeyBytes && !key.utf8.contains(0)
        return isKey ? nil : .badKey(limit: maxKeyBytes)
    }

    /// How many orders a page gets when `wanted` were asked for.
    func pageSize(_ wanted: Int32) -> Int {
        wanted <= 0 ? defaultPageSize : min(Int(wanted), maxPageSize)
    }
}
