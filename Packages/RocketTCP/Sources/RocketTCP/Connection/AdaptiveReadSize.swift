/// How many bytes to offer the next read: doubled when a read filled its room, halved when many
/// in a row used less than a quarter. A pure value.
struct AdaptiveReadSize {
    private(set) var bytes: Int32
    private let least: Int32
    private let most: Int32
    private var small: Int32 = 0

    /// So many small reads in a row halve the size.
    static let patience: Int32 = 64

    init(least: Int32, most: Int32) {
        self.least = least
        self.most = most
        bytes = least
    }

    /// A read brought `count` bytes and could have brought `room`.
    mutating func record(count: Int, room: Int) {
        if count >= room {
            bytes = min(most, bytes * 2)
            small = 0
        } else if count >= Int(bytes) / 4 {
            small = 0
        } else if bytes > least {
            small += 1
            if small < Self.patience { return }
            bytes = max(least, bytes / 2)
            small = 0
        }
    }
}
