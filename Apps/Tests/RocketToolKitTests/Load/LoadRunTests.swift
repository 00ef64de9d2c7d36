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
        progress: @escaping @Sendable (LoadProgress) -> Void = { _ in }
    ) async throws -> LoadReport {
        let server = try RPCServer(
            configuration: RPCServerConfiguration(tcp: .init(listen: [.loopback(port: 0)])),
            services: [DynamicCallTests.Points(schema: schema)])
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        let calls = try LoadCalls(mix, schema: schema, timeout: .seconds(20), seed: 1)
        let run = LoadRun(calls, settings)
        if isStopped { run.stop() }
        let report = try await run.run(
            LoadReports.setup, target: ServerTarget(address: "\(address)"), progress: progress)
        server.beginDrain()
        try await running.value
        return report
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

    @Test("An open loop makes as many calls as its rate requires")
    func openLoop() async throws {
        var settings = settings(concurrency: 50)
        settings.schedule = LoadSchedule(from: 1000, [(.milliseconds(50), 1000)])
        settings.duration = .milliseconds(50)
        let report = try await load(mix("1 one"), settings)
        #expect((report.total.calls, report.total.failed) == (50, 0))
        settings.warmUp = .milliseconds(40)
        let rest = try await load(mix("1 one"), settings)
        #expect((rest.total.calls, rest.total.failed) == (10, 0))
    }

    @Test("A load that is stopped makes no further calls")
    func stopped() async throws {
        var settings = settings()
        settings.schedule = LoadSchedule(from: 1, [(.seconds(3600), 1)])
        let report = try await load(mix("1 one"), settings, isStopped: true)
        #expect(report.interrupted && report.total.calls == 0)
    }

    @Test(
        "A load whose task is cancelled ends, though nothing has stopped it",
        .timeLimit(.minutes(1)), arguments: [1, 2])
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
            ("1 Points.onn", "did you mean", .failure), ("1 each", "takes a stream", .usage),
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
