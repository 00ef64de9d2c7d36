import ArgumentParser
import FoundationEssentials
import RocketBase
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem

/// `rocket load`.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load a server with calls, and report rate, latencies and errors.",
        discussion: """
            Closed loop: each of --concurrency callers makes one call after the other, which finds \
            the highest rate. Open loop, with --rate or --stage: calls are due at fixed times, \
            whatever the server does, and each latency counts from when the call was due, as the \
            latency of users does. A call that was due and found all callers busy until the end \
            counts as an error, NOT_BEGUN.

            A request is JSON, or @FILE: JSON lines that are used in their order, and again from \
            the first. Placeholders get new values for each call, in requests and in metadata: \
            {{sequence}}, {{random 1 100}}, {{uuid}}, {{letters 20}}, {{pick a b c}} and {{time}}, \
            in milliseconds since 1970. {{fill 1000}} is as many letters that are always the same.

            The request of a method that takes a stream is an array of its messages: '[{"x":1},{"x":2}]'; \
            in a file each line is one stream, or, if the lines are objects, all are the messages of \
            one. Its call ends with the last reply.

            Several methods are called by the lines of the file of --mix, by their weights:

              9 Order.makeOrder {"price": {{random 1 100}}, "goods": "apple"}
              1 Order.queryOrder timeout=200ms @ids.jsonl

            EXAMPLES:
              For 10 seconds, with 16 callers on one connection:
                rocket load 127.0.0.1:12345 Order.makeOrder '{"price":100,"goods":"a"}'
              2000 calls per second; status 1 if one in a hundred takes longer than 20 ms:
                rocket load localhost:12345 makeOrder @orders.jsonl --rate 2000 --limit p99=20ms
              A page with latency curves:
                rocket load localhost:12345 makeOrder @orders.jsonl --output report.html
              The highest rate at which 99 of 100 calls take 20 ms at most:
                rocket load localhost:12345 makeOrder @orders.jsonl --find-rate --limit p99=20ms
              From 0 to 5000 calls per second in a minute, then half a minute of that:
                rocket load localhost:12345 --mix a.mix --stage 1m:5000 --stage 30s:5000

            Ctrl-C ends the load with the report so far. Latencies are of all calls, failed ones, \
            too. Calls are never sent again.
            """)

    @Argument(help: ArgumentHelp("The server.", valueName: "address"))
    var address: String

    @Argument(
        help: ArgumentHelp("The method; without it --mix.", valueName: "method"),
        completion: .custom { words, _, prefix in await MethodCompletion.names(words, prefix) })
    var method: String?

    @Argument(help: ArgumentHelp("The request: JSON or @FILE. Default: {}.", valueName: "json"))
    var request: String?

    @Option(
        help: ArgumentHelp("A file of methods with weights, 100 at most.", valueName: "file"),
        completion: .file())
    var mix: String?

    @OptionGroup(title: "LOAD") var amount: LoadAmount
    @OptionGroup(title: "SEARCH") var search: LoadSearchOptions
    @OptionGroup(title: "REPORT") var reporting: LoadReporting
    @OptionGroup var server: ServerOptions
    @OptionGroup var schema: SchemaOptions

    /// Refuses options that do not fit together.
    func validate() throws {
        if method == nil, mix == nil { throw ValidationError("a method or --mix is missing") }
        if method != nil, mix != nil { throw ValidationError("--mix goes without a method") }
        try search.validate(amount, reporting.limit)
    }

    func run() async throws {
        let amount = search.findRate ? self.amount.step : self.amount
        var settings = amount.settings(waitsForReady: server.waitForReady)
        settings.serverProcesses = reporting.pid
        var target = try server.target(address)
        target.configuration.retry = .never
        target.configuration.maxCallsInFlight = LoadAmount.maxConcurrency
        target.configuration.maxCallsWaiting = LoadAmount.maxConcurrency
        let mix =
            if let mix { try LoadMix(file: mix) } else {
                LoadMix(.init(method: method ?? "", request: request ?? "{}"))
            }
        let schema = try await loadedSchema(target, mix)
        // A method that is unknown is found below.
        let names = mix.entries.compactMap { try? schema.method(named: $0.method).fullName }
        try reporting.check(methods: names)
        let calls = try LoadCalls(
            mix, schema: schema, timeout: server.timeout?.duration ?? .seconds(10),
            metadata: server.allMetadata, seed: amount.seed ?? .random(in: 0...1 << 32),
            messagesPerStream: amount.messages)
        let setup = LoadReport.Setup(
            server: address, wire: server.grpc ? "gRPC" : "TinyPB",
            label: reporting.label, loop: search.findRate ? "search" : amount.loopText,
            concurrency: settings.concurrency, connections: settings.connections,
            threads: settings.threads, seed: calls.seed, began: Date().ISO8601Format())
        if search.findRate {
            let search = try LoadSearch(
                calls, search.settings(first: amount.rate), limits: reporting.limit,
                step: settings)
            try await find(search, setup, target)
        } else {
            try await report(LoadRun(calls, settings), setup, target)
        }
    }

    /// The schema with all methods of the mix.
    private func loadedSchema(
        _ target: ServerTarget, _ mix: LoadMix
    ) async throws -> DynamicSchema {
        if let schema = try schema.schema() { return schema }
        let channel = try CallCommand.channel(to: target)
        defer { channel.close() }
        return try await CallCommand.calling(address) {
            let loader = try await SchemaLoader(
                channel, server: address, isGRPC: server.grpc, call: server.reflectionCall)
            // One method: only its service.
            return try await loader.schema(
                for: mix.entries.count == 1 ? mix.entries[0].method : nil)
        }
    }

    private func report(
        _ run: LoadRun, _ setup: LoadReport.Setup, _ target: ServerTarget
    ) async throws {
        let screen = LoadScreen.ofStandardError(LoadView(setup: setup))
        let loading = Task { try await run.run(setup, target: target) { screen?.show($0) } }
        let interruption = Interruption()
        try await interruption.whileRunning(cancel: {
            run.stop()
            loading.cancel()
        }) {
            let result = await loading.result
            screen?.end()
            try reporting.finish(try result.get())
        }
    }

    private func find(
        _ search: LoadSearch, _ setup: LoadReport.Setup, _ target: ServerTarget
    ) async throws {
        StandardError.write(line: TerminalText.safe(search.plan), level: .info)
        let screen = LoadScreen.ofStandardError(LoadView(setup: setup))
        let searching = Task {
            try await search.run(setup, target: target) { setup, progress in
                screen?.show(progress, LoadView(setup: setup))
            } ended: { step in
                screen?.end()
                StandardError.write(line: TerminalText.safe(step.line), level: .info)
            }
        }
        try await Interruption().whileRunning(cancel: {
            search.stop()
            searching.cancel()
        }) {
            let result = await searching.result
            screen?.end()
            try reporting.finish(try result.get())
        }
    }
}
