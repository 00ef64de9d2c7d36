import Glibc
import RocketBaseTestKit
import RocketSystem

@testable import RocketTCP

/// A model of a server's loops as queues: each one serves the calls of its connections one after the
/// other, all take equally long, and a connection's calls come at random times (Poisson) at a rate of
/// its own. `LoopBalance` decides as it does in a server. The same seed gives the same run.
///
/// A loop serves 500 calls a second here, so that a run takes moments. A real one serves more, and its
/// load is known better.
struct LoopSimulation {
    struct Load {
        var loops: Int
        var connectionsPerLoop = 16
        /// The share of the capacity of all loops.
        var utilization = 0.7
        /// 0: all connections have the same rate; 1: the k-th has a k-th of the first one's.
        var skew = 1.0
        /// The most that one connection needs of a loop.
        var largest = 0.5
        var moves = true
        var seed: UInt64 = 1
    }

    /// What was seen in the last ten seconds.
    struct Outcome {
        /// Calls that were served, as a share of those that came.
        var served = 0.0
        /// From a call's arrival to the end of its service, in service times.
        var mean = 0.0, p99 = 0.0
        /// The share of the time that the busiest loop worked.
        var busiest = 0.0
        /// Connections that moved, in all, and then.
        var moves = 0, lateMoves = 0
    }

    private let load: Load
    private var random: SplitMix
    private let rates: [Double]
    private var loopOf: [Int]

    private static let callsPerSecond = 500.0

    init(_ load: Load) {
        self.load = load
        random = SplitMix(seed: load.seed)
        let count = load.loops * load.connectionsPerLoop
        let capacity = load.utilization * Double(load.loops)
        var rates = (0..<count).map { pow(Double($0 + 1), -load.skew) }
        // What is more than a connection may need is shared by the others.
        for _ in 0..<50 {
            let sum = rates.reduce(0, +)
            rates = rates.map { min($0 / sum * capacity, load.largest) }
        }
        self.rates = rates
        // They connect in random order, and get the loops in turn.
        var order = Array(0..<count)
        order.shuffle(using: &random)
        loopOf = Array(repeating: 0, count: count)
        for (position, connection) in order.enumerated() {
            loopOf[connection] = position % load.loops
        }
    }

    private mutating func calls(from begin: Double, to end: Double) -> [(at: Double, of: Int)] {
        var calls: [(at: Double, of: Int)] = []
        for (connection, rate) in rates.enumerated() {
            var at = begin
            while true {
                at -=
                    log(1 - Double.random(in: 0..<1, using: &random))
                    / (rate * Self.callsPerSecond)
                if at >= end { break }
                calls.append((at, connection))
            }
        }
        return calls.sorted { ($0.at, $0.of) < ($1.at, $1.of) }
    }

    mutating func run(seconds: Int) -> Outcome {
        let service = 1 / Self.callsPerSecond
        var outcome = Outcome()
        var balance = LoopBalance()
        var (work, freeAt) = (
            Array(repeating: 0.0, count: load.loops), Array(repeating: 0.0, count: load.loops)
        )
        var worked = Array(repeating: UInt64(0), count: load.loops)
        var start = worked
        var times: [Double] = []
        /// Transfers whose connections have been observed for a second at the next look.
        var observed: [LoopBalance.Transfer] = []
        _ = balance.look(at: MonotonicTime(nanoseconds: 0), worked: worked)
        for second in 0..<seconds {
            if second == seconds - 10 { start = worked }
            let end = Double(second + 1)
            var bytes = Array(repeating: UInt64(0), count: rates.count)
            for call in calls(from: Double(second), to: end) {
                let loop = loopOf[call.of]
                freeAt[loop] = max(call.at, freeAt[loop]) + service
                work[loop] += service
                bytes[call.of] += 100
                if second >= seconds - 10 { times.append((freeAt[loop] - call.at) / service) }
            }
            let before = worked
            // What is still queued is not done yet.
            worked = zip(work, freeAt).map { UInt64(1e9 * ($0 - max(0, $1 - end))) }
            let loads = zip(worked, before).map { Double($0 - $1) / 1e9 }
            if !load.moves { continue }
            for transfer in observed {
                let moved = move(transfer, loads, bytes)
                outcome.moves += moved
                if second >= seconds - 10 { outcome.lateMoves += moved }
            }
            observed = balance.look(
                at: MonotonicTime(nanoseconds: UInt64(end * 1e9)), worked: worked)
        }
        let busy = zip(worked, start).map { Double($0 - $1) / 1e10 }
        times.sort()
        outcome.served = busy.reduce(0, +) * 10 / service / Double(times.count)
        outcome.mean = times.reduce(0, +) / Double(times.count)
        outcome.p99 = times[times.count * 99 / 100]
        outcome.busiest = busy.max() ?? 0
        return outcome
    }

    private mutating func move(
        _ transfer: LoopBalance.Transfer, _ loads: [Double], _ bytes: [UInt64]
    ) -> Int {
        let own = loopOf.indices.filter { loopOf[$0] == transfer.source }
        let chosen = LoopBalance.chosen(
            of: own.map { .init(index: $0, bytes: bytes[$0]) },
            totalBytes: own.reduce(0) { $0 + bytes[$1] }, load: loads[transfer.source],
            other: loads[transfer.target])
        for connection in chosen { loopOf[connection] = transfer.target }
        return chosen.count
    }
}
