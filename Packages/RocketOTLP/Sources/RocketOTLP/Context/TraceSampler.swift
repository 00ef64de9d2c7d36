/// Decides which traces are exported: of those that begin here one of so many, by the id of the trace, so
/// that all processes with the same number decide alike; of others those that their callers chose. A
/// value.
struct TraceSampler: Hashable, Sendable {
    /// As `TraceConfig.callsPerTrace`.
    let callsPerTrace: Int

    /// Whether a trace that begins here, with an id whose lower half is `low`, is exported.
    func samples(_ low: UInt64) -> Bool {
        guard callsPerTrace > 0 else { return false }
        // W3C's random part of an id: the lower 56 bits.
        let random = low & (1 << 56 - 1)
        return random < (1 << 56) / UInt64(callsPerTrace)
    }
}
