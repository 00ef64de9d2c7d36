import RocketBase
import RocketBaseTestKit
import RocketCodec
import RocketReactorTestKit
import Testing

@_spi(Transport) @testable import RocketRPC

@Suite("The table of the streams of a connection")
struct StreamTableTests {
    private func entry(
        _ id: String, in table: borrowing StreamTable, on connection: ConnectionStreams
    ) throws -> StreamEntry {
        let scene = try DrivenStream()
        let id = [UInt8](id.utf8)
        return StreamEntry(
            id: id, hash: table.hash(id), slot: table.nextSlot, scene.stream,
            window: ReceiveWindow(size: 1, announced: 1), on: connection,
            now: scene.driven.clock.monotonic())
    }

    @Test("Streams are found by their ids until they are removed, and slots are used again")
    func table() throws {
        let driven = try HandDrivenLoop()
        let transport = FakeTransport(index: 0, DrivenServer.Caller()) { _ in }
        let connection = ConnectionStreams(
            over: transport, codec: .init(), limits: .init(), on: driven.reactor)
        var table = StreamTable(seed: 7)
        for round in 0..<3 {
            var entries: [StreamEntry] = []
            for number in 0..<200 {
                let entry = try entry("\(round)-\(number)", in: table, on: connection)
                table.insert(entry)
                entries.append(entry)
            }
            #expect(table.count == 200 && table.all.count == 200)
            for number in [0, 7, 199, 3] {
                let id = [UInt8]("\(round)-\(number)".utf8)
                #expect(table.find(id.span.bytes) === entries[number])
                table.remove(entries[number])
                #expect(table.find(id.span.bytes) == nil)
            }
            for (number, entry) in entries.enumerated() where ![0, 7, 199, 3].contains(number) {
                #expect(entry.slot < 200)
                table.remove(entry)
            }
            #expect(table.count == 0 && table.all.isEmpty)
        }
    }

    @Test("Of two streams with the same id one is found until it is removed, then the other")
    func sameID() throws {
        let driven = try HandDrivenLoop()
        let transport = FakeTransport(index: 0, DrivenServer.Caller()) { _ in }
        let connection = ConnectionStreams(
            over: transport, codec: .init(), limits: .init(), on: driven.reactor)
        var table = StreamTable(seed: 7)
        let first = try entry("x", in: table, on: connection)
        table.insert(first)
        let second = try entry("x", in: table, on: connection)
        table.insert(second)
        let id: [UInt8] = [0x78]
        guard let found = table.find(id.span.bytes) else {
            Issue.record("it is not found")
            return
        }
        table.remove(found)
        #expect(table.find(id.span.bytes) === (found === first ? second : first))
    }
}
