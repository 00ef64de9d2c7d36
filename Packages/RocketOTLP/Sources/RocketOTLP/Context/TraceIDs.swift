import Synchronization

/// Makes ids of traces and spans: a counter with a random beginning, mixed by SplitMix64, so that ids of
/// one process differ, those of several do but for a chance of about n / 2^64, and no call waits for
/// another one or for the system. They can be guessed. Any thread.
final class TraceIDs: Sendable {
    private let counter: Atomic<UInt64>

    /// - Parameter random: where the counter begins.
    init(using random: inout some RandomNumberGenerator) { counter = Atomic(random.next()) }

    /// Returns a number that is not 0.
    func next() -> UInt64 {
        while true {
            let step: UInt64 = 0x9E37_79B9_7F4A_7C15
            var mixed = counter.wrappingAdd(step, ordering: .relaxed).newValue
            mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
            mixed ^= mixed &>> 31
            if mixed != 0 { return mixed }
        }
    }
}
