import RocketTCP
import RocketTCPTestKit

/// A peer that speaks bytes, for what a well-behaved channel never sends.
struct RawClient {
    private let peer: RawPeer

    init(_ address: NetAddress) throws { peer = try RawPeer(connectingTo: address) }

    func send(_ bytes: [UInt8]) { peer.sendAll(bytes) }

    /// No more bytes from this side.
    func finish() { peer.finish() }

    /// Cuts the connection: the server gets a reset.
    func reset() { peer.reset() }

    /// Whether the server has closed, with nothing more to say.
    func isAtEnd() -> Bool { peer.receive(exactly: 1).isEmpty }

    /// One frame, by its length field; empty where the server closes.
    func receiveFrame() -> [UInt8] {
        let head = peer.receive(exactly: 5)
        guard head.count == 5 else { return [] }
        let length = head[1...].reduce(0) { $0 << 8 | Int($1) }
        return head + peer.receive(exactly: length - 5)
    }
}
