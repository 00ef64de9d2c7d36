/// A part of a store that is copied to another one: its orders behind one sequence number and up to
/// another one, with their keys. A value.
package struct OrderBlock: Sendable {
    /// It begins behind this number.
    package let after: Int64
    /// It ends with this number; `Int64.max`: at the end of the store.
    package let through: Int64
    /// By their numbers.
    package let orders: [Order]
    /// By the numbers of their orders.
    package let idempotencyKeys: [OrderKey]

    package init(after: Int64, through: Int64, orders: [Order], idempotencyKeys: [OrderKey]) {
        self.after = after
        self.through = through
        self.orders = orders
        self.idempotencyKeys = idempotencyKeys
    }

    /// Orders in a block at most.
    package static let maxOrders = 10_000
    /// The size from which on a block takes no further order: bytes of goods and keys.
    package static let fullBytes = 1 << 20
}

/// An idempotency key as it is stored. A value.
package struct OrderKey: Sendable {
    package let key: String
    /// The number of its order.
    package let sequence: Int64
    package let createdMilliseconds: Int64

    package init(key: String, sequence: Int64, createdMilliseconds: Int64) {
        self.key = key
        self.sequence = sequence
        self.createdMilliseconds = createdMilliseconds
    }
}

/// How many orders and keys a store has, and checksums of all of their values: equal for stores with
/// equal contents, however they are divided into blocks. A value.
package struct OrderTotals: Hashable, Sendable {
    package private(set) var orders: Int64 = 0
    package private(set) var keys: Int64 = 0
    private var orderSum = Checksum()
    private var keySum = Checksum()

    package init() {}

    package init(_ block: OrderBlock) { add(block) }

    /// Adds the next block.
    package mutating func add(_ block: OrderBlock) {
        orders += Int64(block.orders.count)
        keys += Int64(block.idempotencyKeys.count)
        for order in block.orders {
            orderSum.add(order.id.sequence)
            orderSum.add(Int64(order.price))
            orderSum.add(order.createdMilliseconds)
            orderSum.add(order.goods)
        }
        for key in block.idempotencyKeys {
            keySum.add(key.sequence)
            keySum.add(key.createdMilliseconds)
            keySum.add(key.key)
        }
    }

    /// The checksum of the orders: 16 hexadecimal digits.
    package var ordersChecksum: String { orderSum.description }
    /// The checksum of the keys: 16 hexadecimal digits.
    package var keysChecksum: String { keySum.description }
}

/// FNV-1a with 64 bits. A value.
private struct Checksum: Hashable, CustomStringConvertible {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    private mutating func add(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    mutating func add(_ value: Int64) {
        for shift in stride(from: 0, to: 64, by: 8) {
            add(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func add(_ text: String) {
        add(Int64(text.utf8.count))
        for byte in text.utf8 { add(byte) }
    }

    var description: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
