import RocketBase
import RocketHTTP2
import RocketReactor

/// What all connections of gRPC on one loop share. Bound to the loop.
final class GRPCLoop {
    /// nghttp2's memory.
    let memory = HTTP2MemoryPool()
    /// Objects of calls that have ended, for later ones.
    // SAFETY of the unchecked property: nothing runs inside an access to it.
    @exclusivity(unchecked) private var spareServerStreams: [ServerStream] = []
    private var compressors: [OwnedCompressor] = []

    private struct OwnedCompressor {
        weak var owner: AnyObject?
        let compressor: any MessageCompressor
    }

    /// More are not kept.
    private static let mostSpare = 1024

    static func of(_ reactor: Reactor) -> GRPCLoop {
        reactor.attachment(GRPCLoop.self) { _ in GRPCLoop() }
    }

    func takeServerStream() -> ServerStream {
        unsafe spareServerStreams.popLast() ?? ServerStream()
    }

    func give(_ stream: ServerStream) {
        if unsafe spareServerStreams.count < Self.mostSpare {
            unsafe spareServerStreams.append(stream)
        }
    }

    /// The compressor of a server or a channel on this loop.
    func compressor(
        of owner: AnyObject, _ compression: (any MessageCompression)?
    ) -> (any MessageCompressor)? {
        guard let compression else { return nil }
        for found in compressors where found.owner === owner { return found.compressor }
        let made = compression.makeCompressor()
        compressors.removeAll { $0.owner == nil }
        compressors.append(OwnedCompressor(owner: owner, compressor: made))
        return made
    }
}
