public import RocketBase
import RocketSystem
public import ServiceLifecycle

/// Gives memory back to the system after a burst: malloc keeps what was freed, in an arena for each
/// thread, and would keep it until the process ends.
///
/// Every 10 s it compares the resident memory with what is allocated. It trims the heap when the
/// excess has been higher than after the last trim for two times in a row, by a tenth of what was
/// resident at the start (2 to 64 MiB): memory that is used again within 10 s is kept. Meanwhile
/// malloc returns nothing by itself, so large messages cost no page faults. A service of a program's
/// `Daemon`, before its server.
public struct HeapTrimmer: Service {
    private let logger: RocketLogger

    /// The time between two comparisons.
    static let interval = Duration.seconds(10)

    /// A trimmer that logs each trim at INFO.
    public init(logger: RocketLogger) { self.logger = logger }

    /// Trims until the program shuts down.
    public func run() async throws {
        ProcessUsage.keepFreedMemory()
        await cancelWhenGracefulShutdown {
            var policy = HeapTrimPolicy(
                residentBytes: (try? ProcessUsage.residentBytes()) ?? 0,
                excessBytes: Self.excessBytes)
            while (try? await Task.sleep(for: Self.interval)) != nil {
                guard policy.mustTrim(excessBytes: Self.excessBytes) else { continue }
                let before = Self.excessBytes
                ProcessUsage.trimHeap()
                let after = Self.excessBytes
                policy.trimmed(excessBytes: after)
                logger.info("heap trimmed") { $0.add("bytes", max(0, before - after)) }
            }
        }
    }

    /// The resident memory that is not allocated.
    private static var excessBytes: Int {
        excessBytes(
            resident: (try? ProcessUsage.residentBytes()) ?? 0, heap: ProcessUsage.heapBytes)
    }

    /// 0 if more is allocated than resident: the system has swapped memory out, or it was never
    /// used.
    static func excessBytes(resident: Int, heap: Int) -> Int { max(0, resident - heap) }
}

/// Decides when the heap is trimmed. A value.
struct HeapTrimPolicy {
    /// The growth of the excess that is worth a trim. A trim of so little takes less than 10 ms.
    private let thresholdBytes: Int
    private var last: Int
    /// What a trim can't give back: code, stacks, pages that are free in part.
    private var baseline: Int

    /// - Parameters:
    ///   - residentBytes: the resident memory when the program starts.
    ///   - excessBytes: the excess then.
    init(residentBytes: Int, excessBytes: Int) {
        thresholdBytes = min(max(residentBytes / 10, 2 << 20), 64 << 20)
        last = excessBytes
        baseline = excessBytes
    }

    /// Records the excess and returns whether the heap is to be trimmed now.
    mutating func mustTrim(excessBytes: Int) -> Bool {
        let lowest = min(last, excessBytes)
        last = excessBytes
        baseline = min(baseline, excessBytes)
        return lowest >= baseline + thresholdBytes
    }

    /// Records the excess after a trim.
    mutating func trimmed(excessBytes: Int) {
        baseline = excessBytes
        last = excessBytes
    }
}
