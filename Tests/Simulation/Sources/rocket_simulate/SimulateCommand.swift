import AppScenarios
import ArgumentParser
import RocketSimulation
import RocketSimulationScenarios
import RocketSystem

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rocket_simulate",
        abstract: "Runs worlds with faults, each from a seed, and checks their rules.",
        discussion: """
            Each seed runs twice, and both runs must go the same way. A seed that fails is shrunk: \
            faults are taken away as long as the same rule is broken.

              rocket_simulate --seeds 1000                 1000 seeds of each scenario
              rocket_simulate --scenario rpc --first 4711 --seeds 1
              rocket_simulate --compare-policies --seeds 20   figures of docs/balancing.md, as CSV
            """)

    private static let scenarios =
        [
            Scenario.rpc, Scenario.rpcTLS, Scenario.rpcGRPC, Scenario.rpcGRPCTLS, Scenario.restart,
            Scenario.restartTLS, Scenario.restartGRPC, Scenario.restartGRPCTLS, Scenario.overload,
            Scenario.streams, Scenario.streamsGRPC, Scenario.streamsGRPCTLS, Scenario.peers,
            Scenario.orders, Scenario.chat,
        ] + BalancingCase.all.map(\.scenario)

    @Option(
        help:
            "The scenario: \(scenarios.map(\.name).joined(separator: ", ")). Default: all of them.")
    var scenario: String?

    @Option(help: "How many seeds of each scenario to run.")
    var seeds: UInt64 = 100

    @Option(help: "The first seed.")
    var first: UInt64 = 1

    @Option(help: "How many of the last events the text of a failure has.")
    var trace = 50

    @Flag(help: "Run each seed once only, and do not shrink the one that fails.")
    var once = false

    @Flag(
        help: ArgumentHelp(
            "Measure the scenarios of balancing with each policy instead, and print CSV.",
            visibility: .hidden))
    var comparePolicies = false

    @Option(
        help: ArgumentHelp(
            "The commit that is simulated, for the text of a failure.", visibility: .hidden))
    var commit = "unknown"

    private var chosen: [Scenario] {
        Self.scenarios.filter { scenario == nil || scenario == $0.name }
    }

    func validate() throws {
        if let scenario, chosen.isEmpty, !comparePolicies {
            let names = Self.scenarios.map(\.name).joined(separator: ", ")
            throw ValidationError("--scenario \(scenario): the scenarios are \(names)")
        }
        if first.addingReportingOverflow(seeds).overflow {
            throw ValidationError("--first and --seeds: there are 2^64 seeds")
        }
    }

    func run() throws {
        if comparePolicies {
            return try PolicyComparison(seeds: first..<first + seeds, scenario: scenario).print()
        }
        for scenario in chosen {
            if let failed = simulate(scenario) { throw SimulationFailed(description: failed) }
        }
    }

    /// Runs on one thread from beginning to end, as a world requires.
    private func simulate(_ scenario: Scenario) -> String? {
        let clock = ContinuousClock()
        let start = clock.now
        var total = Totals()
        for seed in first..<first + seeds {
            let outcome = scenario.run(seed: seed, traceLength: trace)
            total.add(outcome)
            if outcome.failure != nil {
                return describe(
                    scenario,
                    once ? outcome : scenario.shrink(seed: seed, traceLength: trace))
            }
            if !once, scenario.run(seed: seed).traceHash != outcome.traceHash {
                return "\(scenario.name): seed \(seed): two runs went different ways"
            }
            if (seed - first + 1) % 100 == 0, seed - first + 1 < seeds {
                write(
                    "\(scenario.name): \(total.line(after: clock.now - start))",
                    to: StandardStream.error)
            }
        }
        write(
            "\(scenario.name): \(total.line(after: clock.now - start))", to: StandardStream.output)
        return nil
    }

    /// Writes a line at once, also to a pipe.
    private func write(_ line: String, to stream: Int32) {
        Array("\(line)\n".utf8).withUnsafeBytes {
            _ = SharedOutput(stream).write($0, waitingAtMost: nil)
        }
    }

    private func describe(_ scenario: Scenario, _ outcome: Scenario.Outcome) -> String {
        guard let failure = outcome.failure else { return "it fails no more" }
        let faults = outcome.faults.map { "  \($0)" }.joined(separator: "\n")
        return
            "\(scenario.name): \(failure)\ncommit \(commit); \(outcome.faults.count) faults "
            + "\(once ? "were planned" : "are enough for it"):\n\(faults)"
    }
}

/// What is printed to standard error, with exit status 1.
private struct SimulationFailed: Error, CustomStringConvertible {
    let description: String
}

/// The sums over all seeds of a run. A value.
private struct Totals {
    var seeds = 0
    var calls = 0
    var succeeded = 0
    var elapsed = Duration.zero
    var faults: [String: Int] = [:]
    var counts: [String: Int] = [:]

    mutating func add(_ outcome: Scenario.Outcome) {
        seeds += 1
        calls += outcome.statistics.calls
        succeeded += outcome.statistics.succeeded
        elapsed += outcome.elapsed
        faults.merge(outcome.statistics.faults) { $0 + $1 }
        counts.merge(outcome.statistics.counts) { $0 + $1 }
    }

    func line(after time: Duration) -> String {
        func list(_ numbers: [String: Int]) -> String {
            numbers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                .joined(separator: ", ")
        }
        let rate = Double(seeds) / (time / .seconds(1))
        return "\(seeds) seeds, \(tenths(rate)) a second; "
            + "\(tenths(elapsed / .seconds(3600))) virtual hours, \(calls) calls of which "
            + "\(succeeded) succeeded; faults: \(faults.isEmpty ? "none" : list(faults))"
            + (counts.isEmpty ? "" : "; \(list(counts))")
    }
}

/// `12.3`.
private func tenths(_ number: Double) -> String {
    let tenths = Int(number * 10)
    return "\(tenths / 10).\(tenths % 10)"
}
