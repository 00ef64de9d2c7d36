import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import ChatServerKit

/// A room over two loops that are driven by hand, on the thread of a test.
final class HandDrivenRoom {
    let loops: [HandDrivenLoop]
    let room: ChatRoom
    var connection = TCPConnectionConfiguration()
    private var clientCount: UInt64 = 0
    private var unparsed: [UInt8] = []

    /// - Parameter time: makes the clock that measures broadcasts; default: that of the first loop.
    init(
        _ change: (inout ChatLimits) -> Void = { _ in }, logger: RocketLogger = .disabled,
        time: (ManualTimeSource) -> any TimeSource = { $0 }
    ) throws {
        loops = [try HandDrivenLoop(), try HandDrivenLoop()]
        var limits = ChatLimits()
        change(&limits)
        room = ChatRoom(
            loops: loops.map(\.loop), limits: limits, logger: logger,
            time: time(loops[0].clock))
    }

    /// A room that was made by the test.
    init(loops: [HandDrivenLoop], room: ChatRoom) {
        self.loops = loops
        self.room = room
    }

    /// Adds a client on that loop, and returns the other end of its socket.
    func join(_ loop: Int) throws -> RawPeer {
        clientCount += 1
        let number = clientCount
        var far: RawPeer?
        let reactor = loops[loop].reactor
        try FileDescriptor.socketPair().take { near, other in
            TCPConnection.adopt(
                near, on: reactor, configuration: connection, number: number,
                handler: room.makeSession(on: reactor))
            far = RawPeer(other)
        }
        return try #require(far)
    }

    func settle() {
        for _ in 0..<3 { for loop in loops { loop.tickUntilIdle(limit: 100) } }
    }

    /// Returns the texts received by now. Keeps the bytes of an incomplete message.
    func receivedTexts(_ peer: RawPeer) -> [String] {
        unparsed += peer.receiveAll()
        var offset = 0
        var texts: [String] = []
        while unparsed.count >= offset + 4 {
            let length = unparsed[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
            let end = offset + 4 + length
            if unparsed.count < end { break }
            texts.append(String(decoding: unparsed[(offset + 4)..<end], as: UTF8.self))
            offset = end
        }
        unparsed.removeFirst(offset)
        return texts
    }
}
