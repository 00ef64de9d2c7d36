import RocketSystem

/// One run of a chat server: of two that have the same name the one that began earlier keeps it. A
/// value.
struct ChatServerID: Hashable, Comparable {
    /// When it began, in milliseconds since 1970, by its machine's clock.
    let began: UInt64
    /// Tells servers apart that began in the same millisecond.
    let random: UInt64

    static func < (a: ChatServerID, b: ChatServerID) -> Bool {
        (a.began, a.random) < (b.began, b.random)
    }

    /// Four hexadecimal digits that make a name different from that of another server.
    var shortText: String {
        let digits = String(random & 0xFFFF, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// All digits, for a second collision.
    var longText: String { String(began, radix: 16) + String(random, radix: 16) }
}
