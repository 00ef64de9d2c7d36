import RocketBase

/// Generates random protobuf messages: fields with known and unknown numbers, mostly with the
/// expected wire types, sometimes with others.
struct RandomFields {
    var random: SeededRandom
    /// The known field numbers, and their expected wire types.
    let known: [(number: Int, wire: Int)]

    mutating func message(depth: Int = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...6, using: &random) { bytes += field(depth) }
        return bytes
    }

    /// Returns the message with some bytes changed, removed or cut off.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        guard !bytes.isEmpty else { return [UInt8.random(in: 0...255, using: &random)] }
        for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: index)
            default: bytes.removeLast(bytes.count - index)
            }
        }
        return bytes
    }

    private mutating func field(_ depth: Int) -> [UInt8] {
        var (number, wire) = known.randomElement(using: &random) ?? (1, 0)
        switch Int.random(in: 0..<20, using: &random) {
        case 0: number = Int.random(in: 1...(1 << 29 - 1), using: &random)
        case 1: wire = [0, 1, 2, 3, 5].randomElement(using: &random) ?? 0
        default: break
        }
        return varint(UInt64(number << 3 | wire)) + value(wire, number, depth)
    }

    private mutating func value(_ wire: Int, _ number: Int, _ depth: Int) -> [UInt8] {
        switch wire {
        case 0: return varint(someNumber())
        case 1: return (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
        case 5: return (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
        case 3: return message(depth: depth + 2) + varint(UInt64(number << 3 | 4))
        default:
            let body = body(depth)
            return varint(UInt64(body.count)) + body
        }
    }

    private mutating func body(_ depth: Int) -> [UInt8] {
        switch Int.random(in: 0..<(depth > 4 ? 4 : 6), using: &random) {
        case 0: return Array("text of more than a few bytes, äöü €, 12345678".utf8)
        case 1: return Array("short".utf8)
        case 2: return (0..<8).flatMap { _ in varint(someNumber()) }
        case 3: return (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        // In the form of a map entry.
        case 4: return [0x08] + varint(someNumber()) + [0x10] + varint(someNumber())
        default: return message(depth: depth + 1)
        }
    }

    private mutating func someNumber() -> UInt64 {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: UInt64.random(in: 0...3, using: &random)
        case 1: UInt64.random(in: 0...300, using: &random)
        case 2: UInt64(bitPattern: Int64.random(in: -3 ... -1, using: &random))
        default: UInt64.random(in: 0 ... .max, using: &random)
        }
    }

    private func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest > 127 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}
