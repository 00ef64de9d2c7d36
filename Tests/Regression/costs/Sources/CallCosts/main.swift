import RocketRPC
import RocketSystem
import RocketTCP

/// Prints a figure, and whether it is what it may be.
func judge(_ name: String, _ value: String, _ isGood: Bool) -> Bool {
    print("\(isGood ? "ok  " : "BAD ") \(name): \(value)")
    return isGood
}

let calls = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
let server = try RPCServer(
    configuration: RPCServerConfiguration(
        tcp: TCPServerConfiguration(listen: [.loopback(port: 0)])),
    services: [CostService()])
let running = Task { try await server.run() }
guard let address = await server.boundAddresses.first else {
    throw RPCError(.failedConnect, "the server does not listen")
}
let channel = try RPCChannel(to: address)
var isGood = true

let allocations = try await allocationsPerCall(over: channel)
// Now and then the timer of the earliest deadline.
isGood = judge("allocations per call", "\(allocations)", allocations <= 0.01) && isGood

let soak = Soak(channel: channel)
_ = await soak.run(calls: calls / 5, on: channel.loop)
let before = try Soak.usage()
let clock = ContinuousClock()
let start = clock.now
let wrong = await soak.run(calls: calls, on: channel.loop)
let elapsed = clock.now - start
let after = try Soak.usage()
let statistics = channel.statistics

print("     calls: \(calls) in \(elapsed), \(Soak.tasks) at a time")
isGood = judge("calls that ended wrongly", "\(wrong)", wrong == 0) && isGood
isGood =
    judge("pending calls", "\(statistics.callsInFlight)", statistics.callsInFlight == 0) && isGood
isGood =
    judge(
        "descriptors", "\(before.descriptors) -> \(after.descriptors)",
        before.descriptors == after.descriptors) && isGood
let growth = after.residentBytes - before.residentBytes
isGood =
    judge(
        "resident memory", "\(before.residentBytes >> 10) -> \(after.residentBytes >> 10) KiB",
        growth < 8 << 20) && isGood
print("     \(statistics)")
let elsewhere = await clock.measure { _ = await soak.run(calls: calls / 5, on: nil) }
print("     \(calls / 5) calls of callers on Swift's pool in \(elsewhere)")

channel.close()
server.beginDrain()
try await running.value
if !isGood { ProcessExit.end("CallCosts: a figure is worse than it may be", status: 1) }
