import RocketSystem

let clock = SystemTimeSource()

func now() -> UInt64 { clock.monotonic().nanoseconds }

func report(_ name: String, _ value: UInt64) { print(name, value) }

/// Prints the nanoseconds since `start`, divided by `count`.
func report(_ name: String, since start: UInt64, each count: Int) {
    report(name, (now() - start) / UInt64(count))
}

/// The same generator of pseudo-random numbers as in libevent.c.
struct Random {
    private var state: UInt64 = 42

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// The number of repetitions; the first argument sets fewer, for profilers.
let timers = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
