/// One file of a simulated disk: what reads return, what a loss of power leaves for certain, and the
/// changes between the two. A value.
struct DiskFile {
    private enum Change {
        case write(offset: Int, [UInt8])
        case truncate(size: Int)
    }

    /// The bytes that reads return.
    private(set) var content: [UInt8]
    /// The bytes that are on the disk.
    private var durable: [UInt8]
    /// What has changed since the last sync, in its order.
    private var unsynced: [Change] = []

    /// The bytes of a write that survive a loss of power, or don't, together.
    static let sectorBytes = 512

    /// A file with bytes that are on the disk.
    init(_ bytes: [UInt8]) {
        content = bytes
        durable = bytes
    }

    mutating func write(_ bytes: [UInt8], at offset: Int) {
        Self.apply(bytes[...], at: offset, to: &content)
        unsynced.append(.write(offset: offset, bytes))
    }

    mutating func truncate(to size: Int) {
        Self.resize(&content, to: size)
        unsynced.append(.truncate(size: size))
    }

    mutating func sync() {
        for change in unsynced {
            switch change {
            case .write(let offset, let bytes):
                Self.apply(bytes[...], at: offset, to: &durable)
            case .truncate(let size): Self.resize(&durable, to: size)
            }
        }
        unsynced = []
    }

    /// Forgets what is not synced; it can be read until the power is lost.
    mutating func dropUnsynced() { unsynced = [] }

    /// Leaves what a loss of power leaves.
    ///
    /// - Returns: the bytes of writes that are lost.
    mutating func losePower(using generator: inout some RandomNumberGenerator) -> Int {
        var lost = 0
        // From crash to crash another share: also all of them survive, or none.
        let survivors = Int.random(in: 0...4, using: &generator)
        func survives() -> Bool { Int.random(in: 0..<4, using: &generator) < survivors }
        for change in unsynced {
            switch change {
            case .truncate(let size): if survives() { Self.resize(&durable, to: size) }
            case .write(let offset, let bytes):
                let isTorn = Int.random(in: 0..<4, using: &generator) == 0
                if !isTorn {
                    if survives() {
                        Self.apply(bytes[...], at: offset, to: &durable)
                    } else {
                        lost += bytes.count
                    }
                    continue
                }
                for sector in Self.sectors(of: bytes, at: offset) {
                    if Bool.random(using: &generator) {
                        Self.apply(
                            bytes[sector], at: offset + sector.lowerBound, to: &durable)
                    } else {
                        lost += sector.count
                    }
                }
            }
        }
        unsynced = []
        content = durable
        return lost
    }

    /// Returns the ranges of a write that are in one sector each.
    private static func sectors(of bytes: [UInt8], at offset: Int) -> [Range<Int>] {
        var sectors: [Range<Int>] = []
        var begin = 0
        while begin < bytes.count {
            let end = min(bytes.count, begin + sectorBytes - (offset + begin) % sectorBytes)
            sectors.append(begin..<end)
            begin = end
        }
        return sectors
    }

    private static func apply(_ bytes: ArraySlice<UInt8>, at offset: Int, to file: inout [UInt8]) {
        if bytes.isEmpty { return }
        let range = offset..<offset + bytes.count
        if file.count < range.upperBound { resize(&file, to: range.upperBound) }
        // `replaceSubrange` takes a hundred times as long in debug builds.
        // SAFETY: both buffers are used within the closures only, and the range is one of the file.
        unsafe file.withUnsafeMutableBytes { file in
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(rebasing: file[range]).copyMemory(from: bytes)
            }
        }
    }

    private static func resize(_ file: inout [UInt8], to size: Int) {
        if size < file.count {
            file.removeLast(file.count - size)
        } else {
            file += [UInt8](repeating: 0, count: size - file.count)
        }
    }
}
