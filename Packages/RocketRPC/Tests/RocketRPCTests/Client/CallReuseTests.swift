import RocketRPC
import SwiftProtobuf
import Testing

/// Call objects are used again for later calls: no call may hear of another one's end.
@Suite struct CallReuseTests {
    @Test func callsThatAreCancelledWhileTheyEndHurtNoLaterOne() async throws {
        try await withChannel { channel in
            try await withThrowingTaskGroup { group in
                for caller in 0..<8 {
                    group.addTask {
                        for number in 0..<200 {
                            // The cancellation meets the call anywhere between its start and end.
                            let given = channel.start(TestService.echo, Text("given up"))
                            let kept = channel.start(TestService.echo, Text("\(caller)-\(number)"))
                            if number % 3 == 0 { await Task.yield() }
                            given.cancel()
                            let reply = try await kept.value
                            #expect(reply.value == "\(caller)-\(number)")
                            await given.wait()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(channel.statistics.callsInFlight == 0)
        }
    }

    @Test func aCallInheritsNothingFromTheOneBefore() async throws {
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
