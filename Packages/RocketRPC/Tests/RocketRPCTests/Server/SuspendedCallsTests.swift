import RocketCodec
import Testing

@testable import RocketRPC

@Suite("Suspended calls")
struct SuspendedCallsTests {
    func task() throws -> HandlerTask {
        let connection = ServerConnection(
            dispatcher: try RPCDispatcher(services: []), codec: TinyPBCodec(), scheduler: nil)
        return HandlerTask(CallResponder(connection: connection))
    }

    @Test("Finds the last of several calls with the same id, in every order of their ends")
    func sameID() throws {
        let id = [UInt8]("7".utf8)
        for endsFirst in 0..<2 {
            let calls = [try task(), try task()]
            var suspended = SuspendedCalls()
            for call in calls { suspended.insert(call, id) }
            #expect(suspended.find(id) === calls[1])
            suspended.remove(calls[endsFirst])
            #expect(suspended.find(id) === (endsFirst == 0 ? calls[1] : nil))
            #expect(suspended.tasks.count == 1)
            suspended.remove(calls[1 - endsFirst])
            #expect(suspended.tasks.isEmpty && suspended.find(id) == nil)
        }
    }

    @Test("Removing a call keeps the others")
    func removal() throws {
        let calls = try (0..<5).map { _ in try task() }
        var suspended = SuspendedCalls()
        for (index, call) in calls.enumerated() { suspended.insert(call, [UInt8(index)]) }
        for (left, index) in zip((0..<5).reversed(), [2, 0, 4, 1, 3]) {
            suspended.remove(calls[index])
            suspended.remove(calls[index])
            #expect(suspended.tasks.count == left)
            #expect(suspended.find(calls[index].messageID) == nil)
        }
    }
}
