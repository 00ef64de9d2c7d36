import ArgumentParser
import RocketSystem

/// The options of a search for the highest rate.
struct LoadSearchOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Search for the highest rate at which all limits are met.",
            discussion: """
                Open-loop steps of --duration (default 5s, the first fifth is --warm-up): the rate \
                begins with --rate (default 100), doubles until a limit is missed, then the interval \
                is halved. A rate counts as missed when it was missed twice. Without a limit of \
                errors, errors=1% is one.
                """))
    var findRate = false

    @Option(
        help: ArgumentHelp(
            "The highest rate that a search tries, default 1000000.", valueName: "rate"))
    var maxRate: Double?

    @Option(
        help: ArgumentHelp(
            "How exact a search is, 0.1% to 50%, default 5%.", valueName: "percent"))
    var precision: PercentArgument?

    @Option(
        help: ArgumentHelp("The most steps of a search, 1 to 100, default 40.", valueName: "number")
    )
    var maxSteps: Int?

    /// Refuses values out of range, and those that do not fit together.
    func validate() throws {
        let ranges: [(Bool, String)] = [
            (
                findRate || (maxRate == nil && precision == nil && maxSteps == nil),
                "--max-rate, --precision and --max-steps go with --find-rate"
            ),
            (
                maxRate.map { (RateSearch.lowest...10_000_000).contains($0) } ?? true,
                "--max-rate is 1 to 10000000"
            ),
            (
                precision.map { (0.001...0.5).contains($0.share) } ?? true,
                "--precision is 0.1% to 50%"
            ),
            (maxSteps.map { (1...100).contains($0) } ?? true, "--max-steps is 1 to 100"),
        ]
        for (isInRange, rule) in ranges where !isInRange { throw ValidationError(rule) }
    }

    /// Refuses what does not fit to a search.
    func validate(_ amount: LoadAmount, _ limits: [LoadLimit]) throws {
        guard findRate else { return }
        let first = amount.rate ?? RateSearch.Settings().first
        let rules: [(Bool, String)] = [
            (amount.stage.isEmpty, "--find-rate goes without --stage"),
            (amount.callerStage.isEmpty, "--find-rate goes without --caller-stage"),
            (amount.isWarmUpShorterThanStep, "--warm-up is shorter than the step"),
            (amount.requests == nil, "--find-rate goes without --requests"),
            (
                limits.contains { !$0.isRate },
                "--find-rate needs a limit of latencies or errors: --limit p99=20ms"
            ),
            (
                (RateSearch.lowest...(settings(first: first).highest)).contains(first),
                "--rate, of the first step, is 1 to --max-rate"
            ),
        ]
        for (isKept, rule) in rules where !isKept { throw ValidationError(rule) }
    }

    func settings(first: Double?) -> RateSearch.Settings {
        var settings = RateSearch.Settings()
        if let maxRate { settings.highest = maxRate }
        settings.first = first ?? min(settings.first, settings.highest)
        if let precision { settings.precision = precision.share }
        if let maxSteps { settings.maxSteps = maxSteps }
        return settings
    }
}

/// A percentage on a command line: `5%`.
struct PercentArgument: ExpressibleByArgument, Hashable, Sendable {
    /// 0 to 1.
    let share: Double

    init?(argument: String) {
        guard argument.hasSuffix("%"), let percent = Double(argument.dropLast()),
            (0...100).contains(percent)
        else { return nil }
        share = percent / 100
    }
}
