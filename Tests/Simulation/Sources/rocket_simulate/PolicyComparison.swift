import RocketBalancing
import RocketSimulationScenarios

/// Measures the scenarios of balancing with several policies, and prints what scripts/balancing-plots
/// reads. A value.
struct PolicyComparison {
    let seeds: Range<UInt64>
    /// The only one; nil: all.
    let scenario: String?

    private static let policies: [BalancingPolicy] = [.p2cPeakEWMA, .leastInFlight, .roundRobin]

    /// Prints a line for each value: of a figure, whose index is empty, or of a series.
    func print() throws {
        write("scenario,policy,seed,name,index,value")
        let cases = BalancingCase.all + BalancingCase.unprotected
        for one in cases where scenario == nil || scenario == one.name {
            for policy in Self.policies {
                // Its worlds take a hundred times as long as others.
                let some = one.name == "thousand-clients" ? seeds.prefix(2) : seeds
                for seed in some {
                    let figures = try one.measure(seed: seed, policy: policy)
                    let start = "\(one.name),\(policy.rawValue),\(seed)"
                    for (name, value) in figures.values.sorted(by: { $0.key < $1.key }) {
                        write("\(start),\(name),,\(value)")
                    }
                    for (name, values) in figures.series.sorted(by: { $0.key < $1.key }) {
                        for (index, value) in values.enumerated() {
                            write("\(start),\(name),\(index),\(value)")
                        }
                    }
                }
            }
        }
    }

    private func write(_ line: String) { Swift.print(line) }
}
