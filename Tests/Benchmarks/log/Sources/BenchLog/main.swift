import CAllocationCount
import RocketBase
import RocketSystem

// Measures the cost of Rocket's log for its callers, and its sustained throughput. Prints `name
// value` lines, which run.sh compares with those of the spdlog program, which does the same work.

let folder = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "."
let clock = SystemTimeSource()

func now() -> UInt64 { clock.monotonic().nanoseconds }

func report(_ name: String, _ value: UInt64) { print(name, value) }

func makeSystem(_ name: String) throws -> LogSystem {
    var configuration = LogConfiguration()
    configuration.file.folder = folder
    configuration.file.name = name
    configuration.syncInterval = .milliseconds(10)
    configuration.bufferBytes = 4 << 20
    configuration.errorWait = .milliseconds(100)
    return try LogSystem(configuration)
}

/// Logs the line of both programs: static text and three integers.
@inline(never)
func line(_ logger: RocketLogger, _ number: Int) {
    logger.info("request handled") {
        $0.add("connection", number & 1023)
        $0.add("bytes", 58)
        $0.add("elapsed_us", number)
    }
}

@inline(never)
func waitingLine(_ logger: RocketLogger, _ number: Int) {
    logger.error("request handled") {
        $0.add("connection", number & 1023)
        $0.add("bytes", 58)
        $0.add("elapsed_us", number)
    }
}

@inline(never)
func lineThatIsOff(_ logger: RocketLogger, _ number: Int) {
    logger.debug("request handled") { $0.add("connection", number) }
}

func spin(_ nanoseconds: UInt64) {
    let end = now() + nanoseconds
    while now() < end {}
}

/// Logs bursts of 50 lines with pauses, like a busy service, and measures each call.
func callerCost() throws {
    let logs = try makeSystem("caller")
    for round in 0..<10 {
        for number in 0..<10_000 { line(logs.rpc, round * 10_000 + number) }
        logs.flush()
    }
    let droppedBefore = logs.statistics.dropped
    var costs: [UInt64] = []
    costs.reserveCapacity(200_000)
    let allocations = allocation_count()
    for burst in 0..<4_000 {
        for number in 0..<50 {
            let start = now()
            line(logs.rpc, burst * 50 + number)
            costs.append(now() - start)
        }
        spin(50_000)
    }
    report("allocations_in_200000_lines", allocation_count() - allocations)
    costs.sort()
    report("caller_p50_ns", costs[100_000])
    report("caller_p99_ns", costs[198_000])
    report("caller_p99.9_ns", costs[199_800])
    var total: UInt64 = 0
    for burst in 0..<2_000 {
        let start = now()
        for number in 0..<100 { line(logs.rpc, burst * 100 + number) }
        total += now() - start
        spin(50_000)
    }
    report("caller_mean_ns", total / 200_000)
    let dropped = logs.statistics.dropped - droppedBefore
    logs.shutdown()
    report("caller_dropped", dropped)
}

func timerCost() {
    let start = now()
    for _ in 0..<1_000_000 { _ = now() }
    report("timer_ns", (now() - start) / 1_000_000)
}

/// Logs with back-pressure (ERROR waits for room) until the last line is in the file.
func sustained(threads: Int) throws {
    let logs = try makeSystem("sustained\(threads)")
    let lines = 1_000_000 / threads
    let start = now()
    var workers: [SystemThread] = []
    for _ in 0..<threads {
        let logger = logs.rpc
        workers.append(
            try SystemThread(name: "caller") {
                for number in 0..<lines { waitingLine(logger, number) }
            })
    }
    for worker in workers { worker.join() }
    logs.shutdown()
    let elapsed = now() - start
    let statistics = logs.statistics
    report("lines_per_s_\(threads)_threads", statistics.drained * 1_000_000_000 / elapsed)
    report("dropped_\(threads)_threads", statistics.dropped)
}

func offCost() throws {
    let logs = try makeSystem("off")
    let logger = logs.rpc
    let disabled = RocketLogger.disabled
    var start = now()
    for number in 0..<50_000_000 { lineThatIsOff(logger, number) }
    report("off_picoseconds", (now() - start) / 50_000)
    start = now()
    for number in 0..<50_000_000 { lineThatIsOff(disabled, number) }
    report("disabled_picoseconds", (now() - start) / 50_000)
    logs.shutdown()
}

timerCost()
try callerCost()
for threads in [1, 2, 4] { try sustained(threads: threads) }
try offCost()
