import ArgumentParser
import RocketProgram
import RocketSystem

/// The options that say how much a load calls.
struct LoadAmount: ParsableArguments {
    static let maxConcurrency = 65_536

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Callers, each with one call in flight, 1 to 65536.",
            discussion:
                "Default: 16; of an open loop, which needs them for calls that take long, 1000.",
            valueName: "number"))
    var concurrency: Int?

    @Option(help: ArgumentHelp("Connections that they share, 1 to 10000.", valueName: "number"))
    var connections = 1

    @Option(help: ArgumentHelp("Threads that they share, 1 to 64.", valueName: "number"))
    var threads = 1

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "How long calls begin, up to one hour.",
            discussion: "Default: 10s; with --requests alone, until these are made.",
            valueName: "duration"))
    var duration: DurationArgument?

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("The number of calls in all.", valueName: "number"))
    var requests: Int?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Open loop: calls per second, up to 10 million.",
            discussion: "With --stage the rate at the beginning, default 0.", valueName: "number"))
    var rate: Double?

    @Option(
        help: ArgumentHelp(
            "Open loop: go to that rate within that time: 30s:5000; may be repeated.",
            valueName: "duration:rate"))
    var stage: [LoadStage] = []

    @Option(
        help: ArgumentHelp(
            "Closed loop: go to that many callers within that time: 30s:64; may be repeated.",
            discussion: "--concurrency is the number at the beginning, default 1.",
            valueName: "duration:callers"))
    var callerStage: [LoadStage] = []

    @Option(
        help: ArgumentHelp(
            "Do not count calls of the first part of the time.", valueName: "duration"))
    var warmUp: DurationArgument?

    @Option(
        help: ArgumentHelp(
            "The messages of each stream of requests, 1 to 1000000.",
            discussion: "Those of the request are sent again until there are as many.",
            valueName: "number"))
    var messages: Int?

    @Option(
        help: ArgumentHelp(
            "Get the same values of placeholders again; reports name the seed.",
            valueName: "number"))
    var seed: UInt64?

    /// Refuses values out of range, and those that do not fit together.
    func validate() throws {
        let concurrency = self.concurrency ?? defaultConcurrency
        let ranges: [(Bool, String)] = [
            ((1...Self.maxConcurrency).contains(concurrency), "--concurrency is 1 to 65536"),
            ((1...10_000).contains(connections), "--connections is 1 to 10000"),
            ((1...64).contains(threads), "--threads is 1 to 64"),
            (
                messages.map { (1...LoadCalls.maxRequests).contains($0) } ?? true,
                "--messages is 1 to 1000000"
            ),
            (requests.map { $0 > 0 } ?? true, "--requests is 1 or more"),
            (rate.map { LoadStage.rates.contains($0) } ?? true, "--rate is 0 to 10000000"),
            (rate != 0 || !stage.isEmpty, "--rate 0 needs --stage"),
            (connections >= threads, "--connections is at least --threads: each needs one"),
            (mostCallers >= connections, "--concurrency is at least --connections"),
            (stage.isEmpty || duration == nil, "--duration goes without --stage"),
            (callerStage.isEmpty || duration == nil, "--duration goes without --caller-stage"),
            (callerStage.isEmpty || !isOpenLoop, "--caller-stage goes without --rate and --stage"),
            (
                max(stage.count, callerStage.count) <= LoadSchedule.maxStages,
                "there are at most \(LoadSchedule.maxStages) stages"
            ),
            (
                callerStage.allSatisfy {
                    (1...Double(Self.maxConcurrency)).contains($0.rate)
                        && $0.rate == $0.rate.rounded()
                }, "the callers of a --caller-stage are 1 to 65536"
            ),
            (
                warmUp.map { $0.duration < length ?? $0.duration * 2 } ?? true,
                "--warm-up is shorter than the load"
            ),
        ]
        for (isInRange, rule) in ranges where !isInRange { throw ValidationError(rule) }
    }

    private var defaultConcurrency: Int {
        isOpenLoop ? 1000 : callerStage.isEmpty ? 16 : 1
    }

    /// The most callers at any time.
    private var mostCallers: Int {
        callerStage.reduce(concurrency ?? defaultConcurrency) { max($0, Int($1.rate)) }
    }

    private var isOpenLoop: Bool { rate != nil || !stage.isEmpty }

    /// How long calls begin; nil: until all requests are made.
    private var length: Duration? {
        let stages = stage + callerStage
        if !stages.isEmpty { return stages.reduce(.zero) { $0 + $1.duration } }
        return duration?.duration ?? (requests == nil ? .seconds(10) : nil)
    }

    func settings(waitsForReady: Bool) -> LoadRun.Settings {
        LoadRun.Settings(
            concurrency: max(
                concurrency == nil ? min(mostCallers, requests ?? .max) : mostCallers, connections),
            connections: connections, threads: threads, schedule: schedule, callers: callers,
            hasStages: !stage.isEmpty || !callerStage.isEmpty, duration: length, requests: requests,
            warmUp: warmUp?.duration ?? .zero, waitsForReady: waitsForReady)
    }

    /// The amount of a step of a search: an open loop for 5 seconds unless a duration was given, of
    /// which a fifth is warm-up.
    var step: LoadAmount {
        var step = self
        step.rate = rate ?? 1
        step.duration = duration ?? DurationArgument(argument: "5s")
        if warmUp == nil, let length = step.length {
            step.warmUp = DurationArgument(argument: "\(length / .milliseconds(5))ms")
        }
        return step
    }

    private var schedule: LoadSchedule? {
        if !stage.isEmpty {
            return LoadSchedule(from: rate ?? 0, stage.map { ($0.duration, $0.rate) })
        }
        // An hour is the longest duration.
        return rate.map { LoadSchedule(from: $0, [(length ?? .seconds(3600), $0)]) }
    }

    var isWarmUpShorterThanStep: Bool {
        let step = step
        guard let warmUp = step.warmUp, let length = step.length else { return true }
        return warmUp.duration < length
    }

    private var callers: LoadSchedule? {
        if callerStage.isEmpty { return nil }
        return LoadSchedule(
            from: Double(concurrency ?? 1), callerStage.map { ($0.duration, $0.rate) })
    }

    /// For the report.
    var loopText: String {
        guard isOpenLoop else {
            let numbers = [concurrency ?? 1] + callerStage.map { Int($0.rate) }
            return callerStage.isEmpty
                ? "closed loop"
                : "closed loop of \(numbers.map(String.init).joined(separator: " to "))"
        }
        let rates = [rate ?? 0] + stage.map(\.rate)
        return "open loop, "
            + rates.map { LoadNumber.rate($0) }.joined(separator: " to ") + " calls/s"
    }
}

/// A stage of the rate, or of the callers: `30s:5000`.
struct LoadStage: ExpressibleByArgument, Hashable, Sendable {
    /// Calls per second, or callers.
    static let rates = 0.0...10_000_000

    let duration: Duration
    let rate: Double

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let duration = DurationArgument(argument: String(parts[0])),
            let rate = Double(parts[1]), Self.rates.contains(rate)
        else { return nil }
        (self.duration, self.rate) = (duration.duration, rate)
    }
}
