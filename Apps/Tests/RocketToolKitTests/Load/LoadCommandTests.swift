import ArgumentParser
import RocketProgram
import RocketSystem
import Testing

@testable import RocketToolKit

@Suite struct LoadCommandTests {
    private func refusal(_ arguments: String...) async -> String {
        do {
            _ = try await LoadCommand.asyncParse(["a:1"] + arguments)
            return "accepted"
        } catch { return LoadCommand.message(for: error) }
    }

    private func settings(_ arguments: String...) async throws -> LoadRun.Settings {
        try await LoadCommand.asyncParse(["a:1", "m"] + arguments).amount
            .settings(waitsForReady: false)
    }

    @Test("Without options 16 callers load for ten seconds")
    func defaults() async throws {
        let closed = try await settings()
        #expect((closed.concurrency, closed.connections, closed.threads) == (16, 1, 1))
        #expect(closed.duration == .seconds(10) && closed.schedule == nil)
        let open = try await settings("--rate", "50")
        #expect(open.concurrency == 1000 && open.duration == .seconds(10))
        #expect(open.schedule == LoadSchedule(from: 50, [(.seconds(10), 50)]))
        let requests = try await settings("-n", "5")
        #expect(requests.duration == nil && requests.requests == 5 && requests.concurrency == 5)
    }

    @Test("Stages are the duration; a rate before them is where the first begins")
    func stages() async throws {
        let settings = try await settings(
            "--rate", "10", "--stage", "30s:5000", "--stage", "1m:0", "--warm-up", "5s")
        #expect(settings.duration == .seconds(90) && settings.warmUp == .seconds(5))
        #expect(
            settings.schedule == LoadSchedule(from: 10, [(.seconds(30), 5000), (.seconds(60), 0)]))
    }

    @Test("What is missing, out of range or does not fit together is refused")
    func refused() async {
        #expect(await refusal() == "a method or --mix is missing")
        #expect(await refusal("m", "--mix", "f") == "--mix goes without a method")
        #expect(await refusal("m", "-c", "0") == "--concurrency is 1 to 65536")
        #expect(
            await refusal("m", "-c", "2", "--connections", "3")
                == "--concurrency is at least --connections")
        #expect(
            await refusal("m", "--threads", "2")
                == "--connections is at least --threads: each needs one")
        #expect(await refusal("m", "-n", "0") == "--requests is 1 or more")
        #expect(await refusal("m", "--rate", "2e7") == "--rate is 0 to 10000000")
        #expect(await refusal("m", "--rate", "0") == "--rate 0 needs --stage")
        #expect(
            await refusal("m", "--stage", "1s:1", "-d", "1s") == "--duration goes without --stage")
        #expect(
            await refusal("m", "-d", "1s", "--warm-up", "1s")
                == "--warm-up is shorter than the load")
        #expect(await refusal("m", "--stage", "1s:x").contains("1s:x"))
        #expect(await refusal("m", "--limit", "p99").contains("'p99' is no limit"))
    }

    @Test("Methods are completed for a load, too")
    func completion() async {
        let command = await MethodCompletion.command(of: ["rocket", "load", "--grpc", "a:1", ""])
        #expect(command?.address == "a:1" && command?.server.grpc == true)
    }
}
