/// The size of the next read: doubled when a read filled its space, halved when many reads in a row
/// used less than a quarter. A pure value.
struct AdaptiveReadSize {
    private(set) var bytes: Int32
    private let least: Int32
    private let most: Int32
    private var smallReads: Int32 = 0

    /// This many small reads in a row halve the size.
    private static let smallReadsToShrink: Int32 = 64

    init(least: Int32, most: Int32) {
        self.least = least
        self.most = most
        bytes = least
    }

    /// Records a read that returned `count` bytes and had space for `room`.
    mutating func record(count: Int, room: Int) {
        if count >= room {
            bytes = min(most, bytes * 2)
            smallReads = 0
        } else if count >= Int(bytes) / 4 {
            smallReads = 0
        } else if bytes > least {
            smallReads += 1
            if smallReads < Self.smallReadsToShrink { return }
            bytes = max(least, bytes / 2)
            smallReads = 0
        }
    }
}
