public import OrderStoring

/// The reason why a request is refused: sent as `ret_code` and `res_info` of a normal response.
public enum OrderRefusal: Hashable, Sendable {
    /// The price is below the minimum.
    case shortBalance
    /// The name of the goods is empty.
    case emptyGoods
    /// No order has this id.
    case unknownOrder
    /// The name of the goods is longer than `limit` bytes.
    case goodsTooLong(limit: Int)
    /// The name of the goods contains a zero byte.
    case zeroByte
    /// The page token is not one of this server.
    case badPageToken
    /// The idempotency key belongs to an order with another price or other goods.
    case keyReused(OrderID)
    /// The idempotency key is empty, longer than `limit` bytes, or contains a zero byte.
    case badKey(limit: Int)

    /// `ret_code` on the wire; negative, never reused for another meaning.
    public var code: Int32 {
        switch self {
        case .shortBalance: -1
        case .emptyGoods: -2
        case .unknownOrder: -3
        case .goodsTooLong, .zeroByte: -4
        case .badPageToken: -5
        case .keyReused: -6
        case .badKey: -7
        }
    }

    /// `res_info` on the wire.
    public var text: String {
        switch self {
        case .shortBalance: "short balance"
        case .emptyGoods: "the name of the goods is empty"
        case .unknownOrder: "no order has this id"
        case .goodsTooLong(let limit): "the name of the goods is longer than \(limit) bytes"
        case .zeroByte: "the name of the goods contains a zero byte"
        case .badPageToken: "the page token is not from this server"
        case .keyReused(let id):
            "the idempotency key belongs to order \(id), which has another price or other goods"
        case .badKey(let limit): "an idempotency key has 1 to \(limit) bytes and no zero byte"
        }
    }
}
