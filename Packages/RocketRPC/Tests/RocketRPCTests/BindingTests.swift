import RocketBase
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// One binding of the current call serves many calls; nobody may notice.
struct BindingTests {
    @Test("A controller that a handler kept is not reused for the next call")
    func keptController() throws {
        let call = CallResponder(connection: try Self.connection())
        let first = call.freshContext().source
        let again = CallContext.$current.withValue(call.freshContext()) {
            let batch = Self.batch(call)
            batch.begins()
            #expect(RPCController.current === call.controller)
            let before = batch.isKept
            let kept = call.controller
            return (before, batch.isKept, kept)
        }
        #expect(!again.0)
        #expect(again.1)
        #expect(call.freshContext().source !== again.2)
        #expect(first !== again.2)
    }

    @Test("A task that a handler started, and that outlives it, keeps its own call")
    func startedTask() async throws {
        let call = CallResponder(connection: try Self.connection())
        let (started, task) = CallContext.$current.withValue(call.freshContext()) {
            let batch = Self.batch(call)
            batch.begins()
            let task = Task { RPCController.current }
            return (batch.isKept, task)
        }
        #expect(started)
        let seen = await task.value
        #expect(seen != nil)
        #expect(call.freshContext().source !== seen)
    }

    private static func batch(_ call: CallResponder) -> ServingContext {
        ServingContext(call.connection, InMemoryTransport(input: []), call)
    }

    private static func connection() throws -> ServerConnection {
        ServerConnection(
            dispatcher: try RPCDispatcher(services: []), codec: TinyPBCodec(), drivers: nil)
    }
}
