import OrderProtos
import RocketBase
import RocketCodec
import RocketProgram
import RocketRPC
import RocketSystem
import RocketTCP

// Makes orders at a steady rate through a channel to a name, each with an idempotency-key, until its
// input ends. Prints one line of JSON a second, and the totals at the end.
//
//   cluster_client TARGET CALLS_PER_SECOND

guard CommandLine.arguments.count == 3, let rate = Int(CommandLine.arguments[2]), rate > 0 else {
    throw RPCError(.invalidArgument, "usage: cluster_client TARGET CALLS_PER_SECOND")
}

/// What has become of the calls.
struct Totals {
    var begun = 0
    var succeeded = 0
    var errors: [String: Int] = [:]
    var servers: [String: Int] = [:]
    var slowestMilliseconds = 0

    func line(_ statistics: RPCChannelStatistics) -> String {
        func object(_ counts: [String: Int]) -> String {
            let pairs = counts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
            return "{" + pairs.joined(separator: ",") + "}"
        }
        let failed = errors.values.reduce(0, +)
        return "{\"begun\":\(begun),\"succeeded\":\(succeeded),\"failed\":\(failed),"
            + "\"errors\":\(object(errors)),\"servers\":\(object(servers)),"
            + "\"slowest_ms\":\(slowestMilliseconds),\"retries\":\(statistics.retries),"
            + "\"retries_refused\":\(statistics.retriesRefused),"
            + "\"lost\":\(statistics.connectionsLost),\"ejections\":\(statistics.ejections),"
            + "\"resolutions\":\(statistics.resolutions),"
            + "\"resolution_failures\":\(statistics.resolutionFailures)}"
    }
}

let totals = Locked(Totals())
let isOver = Locked(false)
var configuration = RPCChannelConfiguration()
configuration.timeout = .seconds(10)
let channel = try RPCChannel(
    to: CommandLine.arguments[1], resolvers: ProgramNames.resolvers(),
    configuration: configuration)

@Sendable func makeOrder(_ number: Int) async {
    totals.withLock { $0.begun += 1 }
    var request = MakeOrderRequest()
    request.price = 100
    request.goods = "goods-\(number)"
    let key = "cluster-\(CurrentProcess.processID)-\(number)"
    let call = RPCController(metadata: ["idempotency-key": key])
    let begin = ContinuousClock.now
    let client = OrderClient(channel)
    do {
        let response = try await client.makeOrder(request, call)
        let passed = ContinuousClock.now - begin
        totals.withLock { totals in
            if response.retCode == 0 {
                totals.succeeded += 1
            } else {
                totals.errors["ret_code \(response.retCode)", default: 0] += 1
            }
            totals.servers[call.peerAddress?.description ?? "", default: 0] += 1
            let milliseconds = Int(passed.wholeNanoseconds / 1_000_000)
            totals.slowestMilliseconds = max(totals.slowestMilliseconds, milliseconds)
        }
    } catch {
        totals.withLock { $0.errors["\(error)", default: 0] += 1 }
    }
}

let input = Task.detached {
    while readLine() != nil {}
    isOver.withLock { $0 = true }
}

await withDiscardingTaskGroup { group in
    let start = ContinuousClock.now
    var (number, seconds) = (0, 0)
    while !isOver.withLock({ $0 }) {
        let passed = Int((ContinuousClock.now - start).wholeNanoseconds)
        while number * 1_000_000_000 < passed * rate {
            number += 1
            let own = number
            group.addTask { await makeOrder(own) }
        }
        if passed >= (seconds + 1) * 1_000_000_000 {
            seconds += 1
            StandardOutput.write(line: totals.withLock { $0 }.line(channel.statistics))
        }
        try? await Task.sleep(for: .milliseconds(1))
    }
}
await input.value
StandardOutput.write(line: totals.withLock { $0 }.line(channel.statistics))
channel.close()
