/// Decides the rates at which a search for the highest one loads a server: it doubles until a step
/// does not hold, then halves the interval between the highest rate that held and the lowest that did
/// not. A rate has to fail twice: a pause of the machine must not decide. A state machine: verdicts
/// come in, rates go out.
struct RateSearch: Hashable, Sendable {
    struct Settings: Codable, Hashable, Sendable {
        /// Calls per second of the first step.
        var first = 100.0
        /// No rate below it is tried.
        var lowest = RateSearch.lowest
        /// The highest rate that is tried.
        var highest = 1_000_000.0
        /// How exact the result is: the interval that is left, as a part of the rate.
        var precision = 0.05
        var maxSteps = 40
    }

    /// What a step has shown.
    enum Verdict: String, Codable, Hashable, Sendable {
        /// All limits were met.
        case held
        /// A limit was missed, by the server.
        case missed
        /// A limit was missed, and the client may be the reason: it could not keep up.
        case client
    }

    /// Why the result is not higher.
    enum Bound: String, Codable, Hashable, Sendable {
        /// The server misses a limit at a higher rate.
        case server
        /// The client can't keep up at a higher rate: the server's highest rate may be higher.
        case client
        /// The highest rate that was to be tried has held.
        case highestRate = "highest_rate"
        /// There were no steps left, or the search was interrupted: the result is not as exact as
        /// wanted.
        case unfinished
    }

    /// The lowest rate of any search.
    static let lowest = 1.0

    let settings: Settings
    private(set) var steps = 0
    /// The highest rate that held.
    private(set) var held: Double?
    /// The lowest rate that did not hold, and why.
    private(set) var failed: (rate: Double, verdict: Verdict)?
    /// The rate that has failed once, and is tried again.
    private var doubted: Double?
    private var rate: Double

    /// - Parameter settings: `first` is at least `lowest`, and at most `highest`.
    init(_ settings: Settings) {
        self.settings = settings
        rate = settings.first
    }

    static func == (a: Self, b: Self) -> Bool {
        a.settings == b.settings && a.steps == b.steps && a.held == b.held
            && a.failed?.rate == b.failed?.rate && a.failed?.verdict == b.failed?.verdict
            && a.doubted == b.doubted
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(steps)
        hasher.combine(rate)
    }

    /// The rate of the next step; nil: the search is over.
    var next: Double? {
        guard steps < settings.maxSteps, !isExact else { return nil }
        if let doubted { return doubted }
        return switch (held, failed?.rate) {
        case (nil, nil): rate
        case (let held?, nil): min(held * 2, settings.highest)
        case (nil, let failed?): max(failed / 2, settings.lowest)
        case (let held?, let failed?): Self.middle(held, failed)
        }
    }

    /// Records what the step with the rate `next` has shown.
    mutating func record(_ verdict: Verdict) {
        guard let next else { return }
        steps += 1
        if verdict == .held {
            held = next
        } else if doubted == nil {
            doubted = next
            return
        } else {
            failed = (next, verdict)
        }
        doubted = nil
    }

    /// Why the result is not higher, once `next` is nil or the search was interrupted.
    var bound: Bound {
        guard isExact else { return .unfinished }
        return switch failed?.verdict {
        case nil: .highestRate
        case .client: .client
        case .held, .missed: .server
        }
    }

    /// Whether there is nothing left to find out.
    private var isExact: Bool {
        switch (held, failed?.rate) {
        case (nil, nil): false
        case (let held?, nil): held >= settings.highest
        case (nil, let failed?): failed <= settings.lowest
        case (let held?, let failed?): failed - held <= settings.precision * held
        }
    }

    /// A whole number where the interval has several.
    private static func middle(_ held: Double, _ failed: Double) -> Double {
        let middle = (held + failed) / 2
        return failed - held >= 4 ? middle.rounded() : middle
    }

    /// The most steps that such a search takes.
    static func mostSteps(_ settings: Settings) -> Int {
        func halvings(_ factor: Double) -> Int {
            var (count, rest) = (0, factor)
            while rest > 1 { (count, rest) = (count + 1, rest / 2) }
            return count
        }
        // One more than the interval needs: middles are rounded.
        let bisection = halvings(1 / settings.precision) + 1
        let way = max(
            halvings(settings.highest / settings.first), halvings(settings.first / settings.lowest))
        // Each rate may fail, and is tried twice then.
        return min(settings.maxSteps, 2 * (1 + way + bisection))
    }
}
