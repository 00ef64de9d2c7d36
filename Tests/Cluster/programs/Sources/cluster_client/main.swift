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
//   cluster_client TARGET CALLS_PER_SECOND [RECORD]
//
// With RECORD, a file for what became of each call, calls have 30 seconds and are sent again for as
// long: they outlast a database that is failed over. Without it they have 10 seconds.

guard (3...4).contains(CommandLine.arguments.count), let rate = Int(CommandLine.arguments[2]),
    rate > 0
else {
    throw RPCError(.invalidArgument, "usage: cluster_client TARGET CALLS_PER_SECOND [RECORD]")
}

let totals = Locked(Totals())
let isOver = Locked(false)
var configuration = RPCChannelConfiguration()
configuration.timeout = .seconds(10)
let record = try CommandLine.arguments.dropFirst(3).first.map(Record.init)
if record != nil {
    configuration.timeout = .seconds(30)
    configuration.waitsForReady = true
    configuration.maxCallsWaiting = configuration.maxCallsInFlight
    configuration.retry.maxAttempts = 1000
    configuration.retry.budget = nil
}
let channel = try RPCChannel(
    to: CommandLine.arguments[1], resolvers: ProgramNames.resolvers(),
    configuration: configuration)

@Sendable func makeOrder(_ number: Int) async {
    totals.withLock { $0.begun += 1 }
    var request = MakeOrderRequest()
    request.price = Int32(100 + number % 1000)
    request.goods = "goods-\(number)"
    let key = "cluster-\(CurrentProcess.processID)-\(number)"
    let call = RPCController(metadata: ["idempotency-key": key])
    let begin = ContinuousClock.now
    let client = OrderClient(channel)
    func write(_ result: String, _ values: [String]) {
        let microseconds = (ContinuousClock.now - begin).wholeNanoseconds / 1000
        let now = SystemTimeSource().wall().nanoseconds / 1_000_000
        record?.append([result, "\(now)", "\(microseconds)", key] + values)
    }
    do {
        let response = try await client.makeOrder(request, call)
        let passed = ContinuousClock.now - begin
        let server = call.peerAddress?.description ?? ""
        if response.retCode == 0 {
            write("ok", [server, response.orderID, "\(request.price)", request.goods])
        } else {
            write("failed", ["ret_code", "\(response.retCode) \(response.resInfo)"])
        }
        totals.withLock { totals in
            if response.retCode == 0 {
                totals.succeeded += 1
            } else {
                totals.errors["ret_code \(response.retCode)", default: 0] += 1
            }
            totals.servers[server, default: 0] += 1
            let milliseconds = Int(passed.wholeNanoseconds / 1_000_000)
            totals.slowestMilliseconds = max(totals.slowestMilliseconds, milliseconds)
        }
    } catch {
        write("failed", [error.code.name, "\(error)"])
        totals.withLock { $0.errors["\(error)", default: 0] += 1 }
    }
}

let input = Task.detached {
    while readLine() != nil {}
    isOver.withLock { $0 = true }
}

try await withThrowingDiscardingTaskGroup { group in
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
            try record?.flush()
            StandardOutput.write(line: totals.withLock { $0 }.line(channel.statistics))
        }
        try? await Task.sleep(for: .milliseconds(1))
    }
}
await input.value
try record?.flush()
StandardOutput.write(line: totals.withLock { $0 }.line(channel.statistics))
channel.close()
