import RocketCodec
import RocketRPC
import SwiftProtobuf
import Testing

/// Call objects are reused: no call may observe the end of another.
@Suite struct CallReuseTests {
    @Test("Cancelling calls while they end affects no later call")
    func cancelledWhileEnding() async throws {
        try await withChannel { channel in
            try await withThrowingTaskGroup { group in
                for caller in 0..<8 {
                    group.addTask {
                        for number in 0..<200 {
                            // The cancellation arrives at any time between the start and the end of the call.
                            let cancelled = channel.start(TestService.echo, Text("cancelled"))
                            let kept = channel.start(TestService.echo, Text("\(caller)-\(number)"))
                            if number % 3 == 0 { await Task.yield() }
                            cancelled.cancel()
                            let reply = try await kept.value
                            #expect(reply.value == "\(caller)-\(number)")
                            await cancelled.wait()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(channel.statistics.callsInFlight == 0)
        }
    }

    @Test("A reused call object keeps nothing of the call before")
    func reset() async throws {
        try await withChannel { channel in
            let special = try await channel.call(
                TestService.describe, Text(), metadata: ["x-sent": "1"],
                options: .with { $0.messageID = "mine" })
            #expect(special.value == "test.v1.Test.describe 4 true")
            let plain = try await channel.call(TestService.describe, Text())
            #expect(plain.value == "test.v1.Test.describe 20 true")
        }
    }
}
