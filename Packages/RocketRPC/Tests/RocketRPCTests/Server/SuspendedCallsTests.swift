import RocketCodec
import Testing

@testable import RocketRPC

@Suite struct SuspendedCallsTests {
    func driver(_ id: String) throws -> HandlerTask {
        let connection = ServerConnection(
            dispatcher: try RPCDispatcher(services: []), codec: TinyPBCodec(), drivers: nil)
        let driver = HandlerTask(CallResponder(connection: connection))
        driver.messageID = [UInt8](id.utf8)
        return driver
    }

    @Test func ofCallsWithOneIDTheLastIsFoundWhicheverEndsFirst() throws {
        let id = [UInt8]("7".utf8)
        for endsFirst in 0..<2 {
            let calls = [try driver("7"), try driver("7")]
            var waiting = SuspendedCalls()
            for call in calls { waiting.insert(call) }
            #expect(waiting.find(id) === calls[1])
            waiting.remove(calls[endsFirst])
            #expect(waiting.find(id) === (endsFirst == 0 ? calls[1] : nil))
            #expect(waiting.drivers.count == 1)
            waiting.remove(calls[1 - endsFirst])
            #expect(waiting.drivers.isEmpty && waiting.find(id) == nil)
        }
    }

    @Test func whoeverLeavesTheOthersStay() throws {
        let calls = try (0..<5).map { try driver("\($0)") }
        var waiting = SuspendedCalls()
        for call in calls { waiting.insert(call) }
        for (left, index) in zip((0..<5).reversed(), [2, 0, 4, 1, 3]) {
            waiting.remove(calls[index])
            waiting.remove(calls[index])
            #expect(waiting.drivers.count == left)
            #expect(waiting.find(calls[index].messageID) == nil)
        }
    }
}
