import ArgumentParser
import RocketBase
import RocketBinaryLog
import RocketDynamic
import RocketProgram
import RocketRPC

/// `rocket replay`.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Make recorded calls again, and compare the replies.",
        discussion: """
            Reads a file of rocket record, or any binary log of gRPC whose entries stand behind their \
            sizes in four bytes, as those of grpc-go do. Each call is made with its recorded metadata \
            and time-out, in the recorded order; then the code of its status is compared, and each \
            field of its reply. Texts of errors and metadata of replies are not compared.

            --ignore order_id leaves out all fields of that name in all replies, --ignore items.time \
            those in items, --ignore .name only those of replies themselves; * stands for any name or \
            index. Fields that were masked are ignored. A masked request is sent as it was recorded, \
            with *** in place of texts; what secrets were left out of metadata, -H gives again.

            Calls change a server as they did when they were recorded: replay them to one that is for \
            tests.

            EXAMPLES:
              One call after the other:
                rocket replay calls.binlog 127.0.0.1:12345 --ignore order_id
              At the recorded pace, twice as fast, with a token:
                rocket replay calls.binlog orders:443 --grpc --tls --speed 2x \\
                  -H 'authorization: Bearer x'

            Status 1 says that a reply differs or a call has failed, 65 that the file is no binary \
            log, 69 that the server can't be reached. A file that ends within an entry is used up to \
            there.
            """)

    @Argument(help: ArgumentHelp("The file.", valueName: "file"), completion: .file())
    var file: String

    @Argument(help: ArgumentHelp("The server.", valueName: "address"))
    var address: String

    @Option(
        help: ArgumentHelp(
            "Calls of these methods only: package.Service.method or package.Service.*; may be repeated.",
            valueName: "pattern"))
    var method: [String] = []

    @Option(
        help: ArgumentHelp("A field that is not compared; may be repeated.", valueName: "path"))
    var ignore: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Calls at a time, 1 to 10000.",
            discussion: "Default: 1; with --rate and --speed 1000.", valueName: "number"))
    var concurrency: Int?

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Calls per second.", valueName: "number"))
    var rate: Double?

    @Option(
        help: ArgumentHelp(
            "The recorded pace, times a factor: 1x, 2x, 0.5x.", valueName: "factor"))
    var speed: SpeedArgument?

    @Option(
        help: ArgumentHelp(
            "The most differences that are printed.", valueName: "number"))
    var differences = 10

    @Flag(help: "Print the result, with all differences, as one line of JSON.")
    var json = false

    @OptionGroup var server: ServerOptions
    @OptionGroup var schema: SchemaOptions

    func validate() throws {
        if rate != nil, speed != nil { throw ValidationError("--rate goes without --speed") }
        if let rate, !(0.001...1_000_000).contains(rate) {
            throw ValidationError("--rate is 0.001 to 1000000")
        }
        if let concurrency, !(1...10_000).contains(concurrency) {
            throw ValidationError("--concurrency is 1 to 10000")
        }
        if differences < 0 { throw ValidationError("--differences is 0 or more") }
        if server.idempotencyKey != nil {
            throw ValidationError("--idempotency-key is for one call, not for those of a file")
        }
    }

    func run() async throws {
        let ignored = try paths()
        var replay = try ReplayFile(file)
        if !method.isEmpty {
            let patterns = try method.map(Self.pattern)
            replay.keep("of other methods") { call in
                patterns.contains { $0.matches(call.method) }
            }
        }
        var target = try server.target(address)
        target.configuration.retry = .never
        target.configuration.maxCallsInFlight = 10_000
        target.configuration.maxCallsWaiting = 10_000
        let channel = try CallCommand.channel(to: target)
        defer { channel.close() }
        let schema = try await loadedSchema(channel)
        let methods = Dictionary(
            schema.services.flatMap(\.methods).filter { $0.kind == .unary }
                .map { ($0.fullName, $0) }, uniquingKeysWith: { first, _ in first })
        replay.keep("of methods that the server does not have") { methods[$0.method] != nil }
        if !json { replay.notes.forEach(Self.note) }
        if replay.calls.isEmpty {
            throw ProgramFailure("\(file) has no calls that could be made", status: .dataError)
        }
        var settings = ReplayRun.Settings()
        settings.pace =
            rate.map { .rate($0) } ?? speed.map { .recorded(speed: $0.factor) }
            ?? .asFastAsPossible
        settings.concurrency = concurrency ?? (settings.pace == .asFastAsPossible ? 1 : 1000)
        settings.timeout = server.timeout?.duration
        settings.metadata = server.allMetadata
        settings.waitsForReady = server.waitForReady
        settings.ignored = ignored
        try await perform(ReplayRun(replay.calls, methods, schema, settings), replay, channel)
    }

    private func perform(
        _ run: ReplayRun, _ replay: ReplayFile, _ channel: RPCChannel
    ) async throws {
        let running = Task { await run.run(over: channel) }
        try await Interruption().whileRunning(cancel: {
            run.stop()
            running.cancel()
        }) {
            var report = ReplayReport(
                file: file, server: address, skipped: replay.skipped, notes: replay.notes)
            report.add(await running.value)
            report.interrupted = run.isStopped
            if json {
                StandardOutput.write(line: try report.json())
            } else {
                report.lines(differences: differences).forEach { StandardOutput.write(line: $0) }
            }
            if report.failed == report.calls, let first = report.differences.first {
                throw ProgramFailure(
                    "no call has been answered: \(first.now ?? "")", status: .unavailable)
            }
            if !report.isEqual { throw ExitCode(1) }
        }
    }

    private func paths() throws(ProgramFailure) -> [FieldPath] {
        do { return try FieldPath.list(ignore.joined(separator: ",")).get() } catch {
            throw ProgramFailure("--ignore: \(error)", status: .usage)
        }
    }

    private static func pattern(_ text: String) throws(ProgramFailure) -> MethodPattern {
        do { return try MethodPattern(text) } catch {
            throw ProgramFailure("--method: \(error)", status: .usage)
        }
    }

    /// The schema with the methods of the file.
    private func loadedSchema(_ channel: RPCChannel) async throws -> DynamicSchema {
        if let schema = try schema.schema() { return schema }
        return try await CallCommand.calling(address) {
            let loader = try await SchemaLoader(
                channel, server: address, isGRPC: server.grpc, call: server.reflectionCall)
            return try await loader.schema(for: nil)
        }
    }

    private static func note(_ line: String) {
        StandardError.write(line: TerminalText.safe("rocket: \(line)"), level: .info)
    }
}

/// A factor of the recorded pace: `2x`. A value.
struct SpeedArgument: ExpressibleByArgument, Hashable, Sendable {
    let factor: Double

    init?(argument: String) {
        let digits = argument.hasSuffix("x") ? argument.dropLast() : argument[...]
        guard let factor = Double(digits), (0.001...1000).contains(factor) else { return nil }
        self.factor = factor
    }
}
