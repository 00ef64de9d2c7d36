import RocketBase
import RocketReactor

/// What all connections with compression on one loop share. Bound to the loop.
final class CompressionLoop {
    private var all: [(wire: CompressedWire, tools: CompressionTools)] = []

    static func of(_ reactor: Reactor) -> CompressionLoop {
        reactor.attachment(CompressionLoop.self) { _ in CompressionLoop() }
    }

    /// The tools of the connections of a server or a channel on this loop.
    func tools(of wire: CompressedWire) -> CompressionTools {
        if let found = all.first(where: { $0.wire === wire }) { return found.tools }
        let made = CompressionTools(wire.compression.makeCompressor())
        all.append((wire, made))
        return made
    }
}

/// A compressor, and memory for what it makes of a message, used by one connection after the other.
/// Bound to a loop.
final class CompressionTools {
    let compressor: any MessageCompressor
    /// Frames that take the place of others.
    var frames = ByteBuffer()
    /// The metadata of one of them.
    var info = ByteBuffer()

    /// More memory is not kept after a use.
    static let keptBytes = 1 << 20

    init(_ compressor: any MessageCompressor) { self.compressor = compressor }

    /// Empties the memory.
    func clear() {
        frames.removeAll()
        info.removeAll()
        if frames.capacityBytes > Self.keptBytes { frames.shrink() }
    }
}
