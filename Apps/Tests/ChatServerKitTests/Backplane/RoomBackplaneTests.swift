import RocketBase
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import ChatServerKit

/// A backplane that records what it is given. Used on the test's thread.
private final class RecordingBackplane: ChatBackplane {
    final class Record: @unchecked Sendable {
        var calls: [String] = []
    }

    private let record: Record
    init(_ record: Record) { self.record = record }

    func start() { record.calls.append("start") }

    func publish(_ messages: SharedBytes, count: Int) {
        var texts: [String] = []
        var bytes = messages.buffer.copyBytes()[...]
        while !bytes.isEmpty {
            let size = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            texts.append(String(decoding: bytes.dropFirst(4).prefix(size), as: UTF8.self))
            bytes = bytes.dropFirst(4 + size)
        }
        record.calls.append("\(count): " + texts.joined(separator: ", "))
    }

    func stop(_ completion: @escaping () -> Void) {
        record.calls.append("stop")
        completion()
    }
}

struct RoomBackplaneTests {
    private let fixture: HandDrivenRoom
    private let record = RecordingBackplane.Record()
    private let backplane: BackplaneRoom

    init() throws {
        let loops = [try HandDrivenLoop(), try HandDrivenLoop()]
        let record = record
        let backplane = BackplaneRoom(
            on: loops[0].loop, serverName: "alpha", logger: .disabled
        ) { _, _ in RecordingBackplane(record) }
        self.backplane = backplane
        fixture = HandDrivenRoom(
            loops: loops,
            room: ChatRoom(
                loops: loops.map(\.loop), limits: ChatLimits(), logger: .disabled,
                time: loops[0].clock, room: backplane))
        fixture.settle()
    }

    private func batch(_ texts: String...) -> SharedBytes {
        SharedBytes(texts.flatMap { ChatPeer.bytes($0) })
    }

    @Test("Each message of each loop is passed on once, in batches, with the server's name")
    func publishing() throws {
        let first = try fixture.join(0)
        let second = try fixture.join(1)
        first.send(ChatPeer.bytes("a") + ChatPeer.bytes("b"))
        fixture.settle()
        second.send(ChatPeer.bytes("c"))
        fixture.settle()
        #expect(
            record.calls == [
                "start", "2: from: client1@alpha: a, from: client1@alpha: b",
                "1: from: client2@alpha: c",
            ])
        #expect(fixture.receivedTexts(first) == ["from: client2@alpha: c"])
        #expect(
            fixture.receivedTexts(second) == ["from: client1@alpha: a", "from: client1@alpha: b"])
    }

    @Test("Messages of other servers reach the sessions of all loops, and are not passed on")
    func delivering() throws {
        let peers = [try fixture.join(0), try fixture.join(1)]
        backplane.deliver(batch("from: client1@beta: x", "from: client1@beta: y"))
        fixture.settle()
        for peer in peers {
            #expect(
                fixture.receivedTexts(peer) == ["from: client1@beta: x", "from: client1@beta: y"])
        }
        #expect(record.calls == ["start"])
    }

    @Test("A server that has another name gives its clients other names")
    func renaming() throws {
        let first = try fixture.join(0)
        let second = try fixture.join(1)
        backplane.rename(to: "alpha-1")
        fixture.settle()
        first.send(ChatPeer.bytes("a"))
        fixture.settle()
        #expect(fixture.receivedTexts(second) == ["from: client1@alpha-1: a"])
        second.send(ChatPeer.bytes("b"))
        fixture.settle()
        #expect(fixture.receivedTexts(first) == ["from: client2@alpha-1: b"])
        #expect(fixture.room.backplaneStatistics?.serverName == "alpha-1")
    }

    @Test("A member that joins while other servers are lost is told")
    func joinNotice() throws {
        backplane.setLost(true)
        let first = try fixture.join(0)
        fixture.settle()
        #expect(fixture.receivedTexts(first) == [ChatMessage.serversLostNotice])
        backplane.setLost(false)
        let second = try fixture.join(1)
        fixture.settle()
        #expect(fixture.receivedTexts(second) == [])
    }
}
