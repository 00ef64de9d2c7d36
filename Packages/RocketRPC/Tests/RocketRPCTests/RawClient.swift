import RocketTCP
import RocketTCPTestKit

/// A peer that sends raw bytes, including ones that a channel never sends.
struct RawClient {
    private let peer: RawPeer

    init(_ address: NetAddress) throws { peer = try RawPeer(connectingTo: address) }

    func send(_ bytes: [UInt8]) { peer.sendAll(bytes) }

    /// Closes the sending direction.
    func finish() { peer.finish() }

    /// Resets the connection.
    func reset() { peer.reset() }

    /// Whether the server has closed the connection and all its bytes were received.
    func isAtEnd() -> Bool { peer.receive(exactly: 1).isEmpty }

    /// Receives one frame, by its length field; empty if the server has closed.
    func receiveFrame() -> [UInt8] {
        let head = peer.receive(exactly: 5)
        guard head.count == 5 else { return [] }
        let length = head[1...].reduce(0) { $0 << 8 | Int($1) }
        return head + peer.receive(exactly: length - 5)
    }
}
