import RocketBase
import RocketRPC
import RocketReactor
import RocketSystem
import RocketTCP

/// Prints a figure and whether it is within its limit. Returns the latter.
func report(_ name: String, _ value: String, isWithinLimit: Bool) -> Bool {
    print("\(isWithinLimit ? "ok  " : "BAD ") \(name): \(value)")
    return isWithinLimit
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
var results: [Bool] = []

let allocations = try await allocationsPerCall(over: channel)
// Above zero: sometimes a timer for the earliest deadline is allocated.
results.append(
    report("allocations per call", "\(allocations)", isWithinLimit: allocations <= 0.01))

let soak = Soak(channel: channel)
_ = await soak.run(calls: calls / 5, on: channel.loop)
let before = try Soak.usage()
let clock = ContinuousClock()
let start = clock.now
let unexpected = await soak.run(calls: calls, on: channel.loop)
let elapsed = clock.now - start
let after = try Soak.usage()
let statistics = channel.statistics

print("     calls: \(calls) in \(elapsed), \(Soak.tasks) at a time")
results.append(
    report("calls with an unexpected outcome", "\(unexpected)", isWithinLimit: unexpected == 0))
results.append(
    report(
        "pending calls", "\(statistics.callsInFlight)",
        isWithinLimit: statistics.callsInFlight == 0))
results.append(
    report(
        "descriptors", "\(before.descriptors) -> \(after.descriptors)",
        isWithinLimit: before.descriptors == after.descriptors))
let growth = after.residentBytes - before.residentBytes
results.append(
    report(
        "resident memory", "\(before.residentBytes >> 10) -> \(after.residentBytes >> 10) KiB",
        isWithinLimit: growth < 8 << 20))
print("     \(statistics)")
let onPool = await clock.measure { _ = await soak.run(calls: calls / 5, on: nil) }
print("     \(calls / 5) calls of callers on Swift's pool in \(onPool)")

channel.close()
server.beginDrain()
try await running.value
if results.contains(false) { ProcessExit.end("CallCosts: a figure exceeds its limit", status: 1) }
