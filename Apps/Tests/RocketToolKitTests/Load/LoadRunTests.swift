import RocketBase
import RocketCodec
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketToolKit

/// Loads of a server on loopback.
@Suite struct LoadRunTests {
    private let schema: DynamicSchema

    init() throws {
        let path = "/tmp/rocket-load-\(UInt64.random(in: 0 ... .max)).proto"
        try FileContents.write(Array(ToolSchemas.points.utf8), to: path)
        defer { try? FileSystem.remove(path) }
        schema = try DynamicSchema(protoFiles: [path], importPaths: ["/tmp"])
    }

    private func load(
        _ mix: LoadMix, _ settings: LoadRun.Settings, isStopped: Bool = false,
        messages: Int? = nil, progress: @escaping @Sendable (LoadProgress) -> Void = { _ in }
    ) async throws -> LoadReport {
        let calls = try LoadCalls(
            mix, schema: schema, timeout: .seconds(20), seed: 1, messagesPerStream: messages)
        let run = LoadRun(calls, settings)
        if isStopped { run.stop() }
        return try await serving { target in
            try await run.run(LoadReports.setup, target: target, progress: progress)
        }
    }

    /// Runs `body` with a server.
    private func serving<R>(_ body: (ServerTarget) async throws -> R) async throws -> R {
        let server = try RPCServer(
            configuration: RPCServerConfiguration(tcp: .init(listen: [.loopback(port: 0)])),
            services: [DynamicCallTests.Points(schema: schema)])
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        let result = try await body(ServerTarget(address: "\(address)"))
        server.beginDrain()
        try await running.value
        return result
    }

    private func mix(_ lines: String...) throws -> LoadMix {
        try LoadMix(parsing: lines.joined(separator: "\n"), file: "mix")
    }

    private func settings(
        requests: Int? = nil, concurrency: Int = 4, connections: Int = 1, threads: Int = 1
    ) -> LoadRun.Settings {
        LoadRun.Settings(
            concurrency: concurrency, connections: connections, threads: threads,
            requests: requests)
    }

    @Test("Each number of the sequence is used once, on however many threads", arguments: [1, 3])
    func sequence(threads: Int) async throws {
        // The server refuses 13.
        let report = try await load(
            mix(#"1 one {"x": {{sequence}}}"#),
            settings(requests: 40, concurrency: 7, connections: 5, threads: threads))
        #expect(report.total.calls == 40)
        #expect(
            report.total.errors == [.init("FAILED_PRECONDITION", count: 1, "not 13")])
        #expect(report.total.latencies.total == 40)
        #expect(report.course.points.reduce(0) { $0 + $1.calls } == 40)
        #expect(!report.interrupted)
    }

    @Test("Methods get calls by their weights, streams of replies, too")
    func weights() async throws {
        let report = try await load(
            mix("3 one", #"1 many timeout=19s {"x": 1}"#), settings(requests: 40))
        #expect(report.methods.map(\.method) == ["test.Points.one", "test.Points.many"])
        #expect(report.methods.map(\.calls) == [30, 10])
        #expect(report.total.failed == 0)
    }

    @Test("The lines of a file are used in their order and again", arguments: [1, 2])
    func file(threads: Int) async throws {
        let path = "/tmp/rocket-load-\(UInt64.random(in: 0 ... .max)).jsonl"
        let lines = [#"{"x":1}"#, "", #"{"x":13}"#, #"{"x":{{random 14 99}}}"#, "{}"]
        try FileContents.write(Array(lines.joined(separator: "\n").utf8), to: path)
        defer { try? FileSystem.remove(path) }
        let report = try await load(
            mix("1 one @\(path)"),
            settings(requests: 40, connections: threads, threads: threads))
        #expect((report.total.calls, report.total.failed) == (40, 10))
    }

    @Test(
        "An array is the messages of one stream, again until there are as many as wanted",
        arguments: ["last", "each"])
    func streams(method: String) async throws {
        let text = #"1 \#(method) [{"x": {{sequence}}}, {"x": 2, "name": ",]"}]"#
        for (wanted, each) in [(nil, 2), (5, 5), (1, 1)] {
            let report = try await load(mix(text), settings(requests: 10), messages: wanted)
            #expect((report.total.calls, report.total.failed) == (10, 0))
            let messages = try #require(report.methods[0].messages)
            #expect(messages.sent == 10 * each)
            #expect(messages.received == (method == "last" ? 10 : 10 * each))
            #expect((messages.roundTripMs?["p99"] ?? 0 > 0) == (method == "each"))
            #expect(report.lines.contains { $0.hasPrefix("messages, round trip: ms") })
            #expect(report.html.contains("<h2>Messages</h2>"))
        }
    }

    @Test("An object is a stream of one message; calls without streams have no messages")
    func oneMessage() async throws {
        let report = try await load(
            mix(#"1 last {"x": 1}"#, "1 one", "1 many"), settings(requests: 9))
        #expect(report.methods.map { $0.messages?.sent } == [3, nil, 3])
        #expect(report.methods.map { $0.messages?.received } == [3, nil, 9])
    }

    @Test("A file of arrays has a stream in each line, one of objects is one stream")
    func streamFiles() throws {
        let path = "/tmp/rocket-load-\(UInt64.random(in: 0 ... .max)).jsonl"
        defer { try? FileSystem.remove(path) }
        func calls(_ lines: String...) throws -> LoadCalls {
            try FileContents.write(Array(lines.joined(separator: "\n").utf8), to: path)
            return try LoadCalls(
                mix("1 each @\(path)"), schema: schema, timeout: .seconds(1), seed: 1)
        }
        let arrays = try calls(#"[{"x":1}]"#, "", #"[{"x":{{sequence}}},{"x":2},{}]"#)
        #expect(try arrays.messages(0, turn: 0, sequence: 7)[0].bytes == [8, 1])
        let second = try arrays.messages(0, turn: 3, sequence: 7)
        #expect(second.count == 3 && second[0].bytes == [8, 7] && second[4].bytes == [8, 2])
        let objects = try calls(#"{"x":1}"#, #"{"x":2}"#)
        #expect(try objects.messages(0, turn: 1, sequence: 7).count == 2)
        #expect(throws: ProgramFailure.self) { try calls("{}", "[{}]") }
        let failure = #expect(throws: ProgramFailure.self) { try calls("{}", #"{"y":1}"#) }
        #expect(failure?.description.contains(":2: ") == true)
        #expect(throws: ProgramFailure.self) { try arrays.request(0, turn: 0, sequence: 0) }
    }

    @Test("An open loop makes as many calls as its rate requires")
    func openLoop() async throws {
        var settings = settings(concurrency: 50)
        settings.schedule = LoadSchedule(from: 1000, [(.milliseconds(50), 1000)])
        settings.duration = .milliseconds(50)
        let report = try await load(mix("1 one"), settings)
        // On a busy machine the end may come before the last ones have begun.
        #expect(report.total.calls + report.total.notBegun == 50)
        #expect(report.total.failed == report.total.notBegun)
        settings.warmUp = .milliseconds(40)
        let rest = try await load(mix("1 one"), settings)
        #expect(
            rest.total.calls + rest.total.notBegun == 10 && rest.total.failed == rest.total.notBegun
        )
    }

    @Test("A ramp has the calls of each stage, without those of the warm-up", arguments: [1, 2])
    func stages(threads: Int) async throws {
        var settings = settings(concurrency: 50, connections: threads, threads: threads)
        settings.schedule = LoadSchedule(
            from: 1000,
            [(.milliseconds(20), 1000), (.milliseconds(20), 2000), (.milliseconds(1), 0)])
        settings.duration = .milliseconds(41)
        settings.hasStages = true
        settings.warmUp = .milliseconds(10)
        let report = try await load(mix("1 one"), settings)
        let stages = try #require(report.stages)
        #expect(stages.map { $0.calls.calls + $0.calls.notBegun } == [10, 30, 1])
        #expect(stages.map(\.from) == [1000, 1000, 2000] && stages.map(\.to) == [1000, 2000, 0])
        #expect(stages[0].calls.callsPerSecond == 1000 && stages[0].unit == "calls/s")
        #expect(report.course.points.allSatisfy { ($0.targetPerSecond ?? 0) > 0 })
    }

    @Test("Calls of a ramp that were never begun are those of their stages")
    func notBegunStages() async throws {
        var settings = settings(concurrency: 1)
        settings.schedule = LoadSchedule(
            from: 1e6, [(.milliseconds(5), 1e6), (.milliseconds(5), 1e6)])
        settings.duration = .milliseconds(10)
        settings.hasStages = true
        let report = try await load(mix("1 one"), settings)
        let stages = try #require(report.stages)
        #expect(stages[1].calls.notBegun == 5000)
        #expect(stages[0].calls.calls + stages[0].calls.notBegun == 5000)
    }

    @Test("The number of callers of a closed loop changes by stages", arguments: [1, 2])
    func callers(threads: Int) async throws {
        var settings = settings(concurrency: 4, connections: threads, threads: threads)
        settings.callers = LoadSchedule(
            from: 1, [(.milliseconds(20), 4), (.milliseconds(20), 4), (.milliseconds(10), 1)])
        settings.duration = .milliseconds(50)
        settings.hasStages = true
        let report = try await load(mix("1 one"), settings)
        let stages = try #require(report.stages)
        #expect(stages.map(\.calls.calls).reduce(0, +) == report.total.calls)
        #expect(report.total.calls > 0 && stages.allSatisfy { $0.unit == "callers" })
        #expect(report.course.points.allSatisfy { $0.targetPerSecond == nil })
    }

    @Test("A load that is stopped makes no further calls")
    func stopped() async throws {
        var settings = settings()
        settings.schedule = LoadSchedule(from: 1, [(.seconds(3600), 1)])
        let report = try await load(mix("1 one"), settings, isStopped: true)
        #expect(report.interrupted && report.total.calls == 0)
    }

    private func search(
        _ limit: String, method: String = "one", isStopped: Bool = false
    ) async throws -> LoadSearchReport {
        var step = settings(concurrency: 50)
        step.duration = .milliseconds(20)
        let calls = try LoadCalls(
            mix("1 \(method) {\"x\": 13}"), schema: schema, timeout: .seconds(20), seed: 1)
        let search = try LoadSearch(
            calls, .init(first: 100, highest: 200), limits: [LoadLimit(limit)], step: step)
        #expect(search.plan.contains("100 to at most 200 calls/s, at most 16 steps of 0.0 s"))
        if isStopped { search.stop() }
        var ended = 0
        let report = try await serving { target in
            try await search.run(LoadReports.setup, target: target, progress: { _, _ in }) { _ in
                ended += 1
            }
        }
        #expect(report.steps.count == ended)
        return report
    }

    @Test("A search makes steps until the highest rate has held")
    func search() async throws {
        let report = try await search("p99=10m", method: "many")
        #expect(report.steps.map(\.rate) == [100, 200])
        #expect(report.steps.map(\.calls) == [2, 4])
        #expect(report.rate == 200 && report.bound == .highestRate && !report.interrupted)
        #expect(report.stepLimits == ["p99=10m", "errors=1%"])
        #expect(report.best?.total.calls == 4)
    }

    @Test("A server that refuses all calls holds no rate")
    func refusing() async throws {
        let report = try await search("p99=10m")
        #expect(report.rate == nil && report.steps.map(\.rate) == [100, 100])
        #expect(report.steps.allSatisfy { $0.verdict != .held && $0.errorShare == 1 })
    }

    @Test("A search that is stopped begins no step")
    func stoppedSearch() async throws {
        let report = try await search("p99=10m", isStopped: true)
        #expect(report.interrupted && report.steps.isEmpty && report.rate == nil)
    }

    @Test(
        "A load whose task is cancelled ends, though nothing has stopped it", arguments: [1, 2])
    func cancelled(threads: Int) async throws {
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let (mix, settings) = (try mix("1 one"), settings(connections: threads, threads: threads))
        let loading = Task { try await load(mix, settings) { _ in begin.yield() } }
        for await _ in begun { break }
        loading.cancel()
        #expect(try await loading.value.total.calls > 0)
    }

    @Test("A server that can't be reached ends the load before it begins")
    func unreachable() async throws {
        let calls = try LoadCalls(mix("1 one"), schema: schema, timeout: .seconds(1), seed: 1)
        let run = LoadRun(calls, settings())
        let failure = await #expect(throws: ProgramFailure.self) {
            try await run.run(
                LoadReports.setup, target: ServerTarget(address: "unix:/tmp/no/such/socket"),
                progress: { _ in })
        }
        #expect(failure?.status == .unavailable)
    }

    @Test(
        "Methods and requests that are wrong are refused before the load",
        arguments: [
            (#"1 one {"y": 1}"#, "there is no such field", RocketProgram.ExitStatus.dataError),
            (#"1 one {"x": "{{letters 3}}"}"#, "expected int32", .dataError),
            (#"1 one {"x": {{uid}}}"#, "there is no placeholder {{uid}}", .dataError),
            ("1 Points.onn", "did you mean", .failure),
            (#"1 each [{"x": 1}, {"y": 2}]"#, "there is no such field", .dataError),
            (#"1 each [{"x": 1}"#, "no JSON array", .dataError),
            ("1 each []", "at least one element", .dataError),
            ("1 one @/no/such/file", "/no/such/file can't be read", .noInput),
        ])
    func refused(line: String, text: String, status: RocketProgram.ExitStatus) throws {
        let mix = try mix(line)
        let failure = #expect(throws: ProgramFailure.self) {
            try LoadCalls(mix, schema: schema, timeout: .seconds(1), seed: 1)
        }
        #expect(failure?.description.contains(text) == true, "\(String(describing: failure))")
        #expect(failure?.status == status)
    }

    @Test("Metadata has placeholders, too")
    func metadata() throws {
        let calls = try LoadCalls(
            mix("1 one"), schema: schema, timeout: .seconds(1),
            metadata: ["a": "constant", "b": "{{sequence}}", "c": "{{uuid}}"], seed: 1)
        let metadata = calls.metadata(sequence: 7)
        #expect(metadata["a"] == "constant" && metadata["b"] == "7")
        #expect(metadata["c"]?.count == 36)
        #expect(calls.metadata(sequence: 8)["c"] != metadata["c"])
    }
}
