import CRocketTLSTestKit

/// Runs TLS with the random numbers of a seed, so that its sizes and its outcome are the same each
/// time: for simulations, which run on one thread.
public enum SeededTLS {
    /// Runs `body` on this thread with the numbers of `seed`. `body` must not suspend.
    public static func run<Result, E: Error>(
        seed: UInt64, _ body: () throws(E) -> Result
    ) throws(E) -> Result {
        rocket_tls_test_seed(seed)
        defer { rocket_tls_test_unseed() }
        return try body()
    }
}
