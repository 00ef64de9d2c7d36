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

    @Test("Callers change by stages, from one on or from --concurrency")
    func callerStages() async throws {
        let one = try await settings("--caller-stage", "30s:64", "--caller-stage", "1m:8")
        #expect(one.concurrency == 64 && one.duration == .seconds(90) && one.hasStages)
        #expect(one.callers == LoadSchedule(from: 1, [(.seconds(30), 64), (.seconds(60), 8)]))
        #expect(one.schedule == nil)
        let down = try await settings("-c", "9", "--caller-stage", "30s:2")
        #expect(down.concurrency == 9 && down.callers?.stages[0].from == 9)
        let command = try await LoadCommand.asyncParse(
            ["a:1", "m", "-c", "9", "--caller-stage", "1s:2", "--label", "x"])
        #expect(command.amount.loopText == "closed loop of 9 to 2")
        #expect(command.reporting.label == "x")
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
        #expect(await refusal("m", "--messages", "0") == "--messages is 1 to 1000000")
        #expect(await refusal("m", "--pid", "0") == "--pid 0: there is no such process")
        #expect(await refusal("m", "-n", "0") == "--requests is 1 or more")
        #expect(await refusal("m", "--rate", "2e7") == "--rate is 0 to 10000000")
        #expect(await refusal("m", "--rate", "0") == "--rate 0 needs --stage")
        #expect(
            await refusal("m", "--stage", "1s:1", "-d", "1s") == "--duration goes without --stage")
        #expect(
            await refusal("m", "-d", "1s", "--warm-up", "1s")
                == "--warm-up is shorter than the load")
        #expect(
            await refusal("m", "--caller-stage", "1s:1", "-d", "1s")
                == "--duration goes without --caller-stage")
        #expect(
            await refusal("m", "--caller-stage", "1s:1", "--rate", "1")
                == "--caller-stage goes without --rate and --stage")
        for callers in ["0", "1.5", "65537"] {
            #expect(
                await refusal("m", "--caller-stage", "1s:\(callers)")
                    == "the callers of a --caller-stage are 1 to 65536")
        }
        #expect(await refusal("m", "--label", "").hasPrefix("--label has 1 to 100"))
        #expect(await refusal("m", "--stage", "1s:x").contains("1s:x"))
        #expect(await refusal("m", "--limit", "p99").contains("'p99' is no limit"))
    }

    @Test("A search has steps of five seconds, with rates of its own")
    func search() async throws {
        let command = try await LoadCommand.asyncParse(
            ["a:1", "m", "--find-rate", "--limit", "p99=20ms"])
        let step = command.amount.step.settings(waitsForReady: false)
        #expect((step.duration, step.warmUp) == (.seconds(5), .seconds(1)))
        #expect(step.concurrency == 1000 && step.schedule != nil)
        #expect(command.search.settings(first: command.amount.rate) == .init())
        let given = try await LoadCommand.asyncParse(
            [
                "a:1", "m", "--find-rate", "--limit", "errors=0", "--rate", "7", "--max-rate", "70",
                "--precision", "1%", "--max-steps", "9", "-d", "2s", "--warm-up", "1s",
            ])
        #expect(
            given.search.settings(first: given.amount.rate)
                == .init(first: 7, highest: 70, precision: 0.01, maxSteps: 9))
        #expect(given.amount.step.settings(waitsForReady: false).warmUp == .seconds(1))
    }

    @Test("A search that has no limit, or does not fit to the load, is refused")
    func refusedSearch() async {
        let find = ["m", "--find-rate", "--limit", "p99=1s"]
        func refusal(_ arguments: [String]) async -> String {
            do {
                _ = try await LoadCommand.asyncParse(["a:1"] + arguments)
                return "accepted"
            } catch { return LoadCommand.message(for: error) }
        }
        #expect(await refusal(find) == "accepted")
        let needs = "--find-rate needs a limit of latencies or errors: --limit p99=20ms"
        #expect(await refusal(["m", "--find-rate"]) == needs)
        #expect(await refusal(["m", "--find-rate", "--limit", "rate=5"]) == needs)
        #expect(await refusal(find + ["-n", "1"]) == "--find-rate goes without --requests")
        #expect(await refusal(find + ["--stage", "1s:1"]) == "--find-rate goes without --stage")
        #expect(
            await refusal(find + ["--caller-stage", "1s:1"])
                == "--find-rate goes without --caller-stage")
        #expect(
            await refusal(find + ["--warm-up", "5s"]) == "--warm-up is shorter than the step")
        #expect(await refusal(find + ["--max-rate", "0"]) == "--max-rate is 1 to 10000000")
        #expect(await refusal(find + ["--max-steps", "101"]) == "--max-steps is 1 to 100")
        #expect(await refusal(find + ["--precision", "51%"]) == "--precision is 0.1% to 50%")
        #expect(
            await refusal(find + ["--rate", "9", "--max-rate", "8"])
                == "--rate, of the first step, is 1 to --max-rate")
        #expect(
            await refusal(["m", "--max-steps", "5"])
                == "--max-rate, --precision and --max-steps go with --find-rate")
    }

    @Test("Methods are completed for a load, too")
    func completion() async {
        let command = await MethodCompletion.command(of: ["rocket", "load", "--grpc", "a:1", ""])
        #expect(command?.address == "a:1" && command?.server.grpc == true)
    }
}
