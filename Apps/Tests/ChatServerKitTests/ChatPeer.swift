import RocketTCP
import RocketTCPTestKit

/// A chat client on a bare socket: sends and receives exactly the bytes of the wire format, encoded
/// independently of the product.
final class ChatPeer {
    let socket: RawPeer

    init(_ address: NetAddress) throws { socket = try RawPeer(connectingTo: address) }

    static func bytes(_ text: String) -> [UInt8] { bytes(Array(text.utf8)) }

    static func bytes(_ text: [UInt8]) -> [UInt8] { length(UInt32(text.count)) + text }

    static func length(_ count: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
    }

    func send(_ text: String) { socket.sendAll(Self.bytes(text)) }

    /// Returns the next message; nil at the end of the stream.
    func receive() -> String? {
        let header = socket.receive(exactly: 4)
        guard header.count == 4 else { return nil }
        let count = header.reduce(0) { $0 << 8 | Int($1) }
        let text = socket.receive(exactly: count)
        return text.count == count ? String(decoding: text, as: UTF8.self) : nil
    }

    /// Returns up to `count` messages; fewer where `receive()` returns nil.
    func receive(_ count: Int) -> [String] {
        var all: [String] = []
        while all.count < count, let text = receive() { all.append(text) }
        return all
    }

    /// Reads to the end of the stream.
    func readToEnd() { while !socket.receive(exactly: 1 << 16).isEmpty {} }
}
