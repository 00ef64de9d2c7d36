import RocketBase
import RocketReactor
import RocketRPC
import SwiftProtobuf
import Testing

/// Started calls and calls with a closure.
@Suite("Started calls and calls with a closure")
struct CallStyleTests {
    @Test("A started call can be awaited later, and more than once")
    func awaitedLater() async throws {
        try await withChannel { channel in
            let calls = (0..<10).map { channel.start(TestService.echo, Text("\($0)")) }
            for (number, call) in calls.enumerated() {
                await call.wait()
                let first = try await call.value
                let again = try await call.value
                #expect(first.value == "\(number)" && again == first)
            }
        }
    }

    @Test("A started call can be cancelled")
    func cancelled() async throws {
        let service = TestService()
        try await withChannel([service]) { channel in
            let call = channel.start(TestService.hold, Number(1), timeout: .seconds(3600))
            await service.gate.arrived(1)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { try await call.value }
            #expect(error?.code == .cancelled)
            service.gate.open()
        }
    }

    @Test("A closure receives the response on the loop it is given")
    func closureOnLoop() async throws {
        let thread = try IOThread(name: "closure")
        let loop = thread.loop
        try await withChannel { channel in
            let outcome = await withCheckedContinuation { continuation in
                channel.call(
                    TestService.echo, Text("hi"),
                    done: RPCClosure(on: loop) { response in
                        continuation.resume(returning: (response.value, loop.isInLoop))
                    })
            }
            #expect(outcome == ("hi", true))
        }
        thread.stop()
        await thread.ended()
    }

    @Test("An error thrown by a closure is the call's error")
    func closureError() async throws {
        struct CallbackFailed: Error {}
        try await withChannel { channel in
            let own = await withCheckedContinuation { continuation in
                channel.call(
                    TestService.echo, Text("hi"),
                    done: RPCClosure { _ in
                        throw CallbackFailed()
                    } failed: {
                        continuation.resume(returning: $0)
                    })
            }
            #expect(own.code == .internal && own.cause is CallbackFailed)
            let servers = await withCheckedContinuation { continuation in
                channel.call(
                    TestService.fail, Text("rpc"),
                    done: RPCClosure<Text> { _ in
                    } failed: {
                        continuation.resume(returning: $0)
                    })
            }
            #expect(servers.code == .permissionDenied)
        }
    }
}
