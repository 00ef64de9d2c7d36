public import RocketBase
import RocketSystem
public import ServiceLifecycle

/// Gives memory back to the system after a burst: malloc keeps what was freed, in an arena for each
/// thread, and would keep it until the process ends.
///
/// Every 10 s it compares the resident memory with what is allocated. It trims the heap when the
/// excess has been higher than after the last trim at two looks in a row, by a tenth of what was
/// resident at the start (16 to 64 MiB). It sees these two instants only: memory that was in use
/// between them is trimmed, too, so each trim after which the excess is back at once doubles the
/// growth that the next one needs, up to an eighth of the memory limit. Meanwhile malloc keeps most
/// of what is freed (`ProcessUsage.keepFreedMemory`). A service of a program's `Daemon`, before its
/// server.
public struct HeapTrimmer: Service {
    private let logger: RocketLogger

    /// The time between two comparisons.
    static let interval = Duration.seconds(10)

    /// A trimmer that logs trims at INFO that free 16 MiB or more, and others at DEBUG.
    public init(logger: RocketLogger) { self.logger = logger }

    /// Trims until the program shuts down.
    public func run() async throws {
        let memory = SystemMemory().limit
        ProcessUsage.keepFreedMemory(within: memory)
        await cancelWhenGracefulShutdown {
            var policy = HeapTrimPolicy(
                residentBytes: (try? ProcessUsage.residentBytes()) ?? 0,
                excessBytes: Self.excessBytes, limitBytes: memory?.bytes)
            while (try? await Task.sleep(for: Self.interval)) != nil {
                guard policy.mustTrim(excessBytes: Self.excessBytes) else { continue }
                let before = Self.excessBytes
                ProcessUsage.trimHeap()
                let after = Self.excessBytes
                policy.trimmed(excessBytes: after)
                let freed = max(0, before - after)
                logger.log(HeapTrimPolicy.level(freed: freed), "heap trimmed") {
                    $0.add("bytes", freed)
                }
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
///
/// A trim that frees what the load uses again costs page faults and locks of the arenas, and another
/// trim follows. So the threshold doubles when the excess is back within two looks of a trim; it
/// halves when the excess is not, and after 5 min without a trim, so that what a load has left is
/// returned at last.
struct HeapTrimPolicy {
    /// A trim that frees less is not worth its cost, nor a line at INFO.
    static let leastBytes = 16 << 20
    /// The excess that is back after so many looks is in use.
    private static let looksToReturn = 2
    /// The looks without a trim after which the threshold is halved once more.
    private static let looksToHalve = 30

    /// The growth of the excess that is worth a trim, now and at least and at most.
    private var thresholdBytes: Int
    private let leastThresholdBytes: Int
    private let mostThresholdBytes: Int
    private var last: Int
    /// What a trim can't give back: code, stacks, pages that are free in part.
    private var baseline: Int
    private var looksSinceTrim = Self.looksToReturn

    /// - Parameters:
    ///   - residentBytes: the resident memory when the program starts.
    ///   - excessBytes: the excess then.
    ///   - limitBytes: the memory that the process may use; nil: unknown.
    init(residentBytes: Int, excessBytes: Int, limitBytes: Int? = nil) {
        leastThresholdBytes = min(max(residentBytes / 10, Self.leastBytes), 64 << 20)
        mostThresholdBytes = max(leastThresholdBytes, (limitBytes ?? 8 << 30) / 8)
        thresholdBytes = leastThresholdBytes
        last = excessBytes
        baseline = excessBytes
    }

    /// Records the excess and returns whether the heap is to be trimmed now.
    mutating func mustTrim(excessBytes: Int) -> Bool {
        let lowest = min(last, excessBytes)
        last = excessBytes
        baseline = min(baseline, excessBytes)
        looksSinceTrim += 1
        let growth = lowest - baseline
        if looksSinceTrim == Self.looksToReturn {
            let isBack = growth >= thresholdBytes
            setThreshold(isBack ? 2 * thresholdBytes : thresholdBytes / 2)
        } else if looksSinceTrim.isMultiple(of: Self.looksToHalve) {
            setThreshold(thresholdBytes / 2)
        }
        return growth >= thresholdBytes
    }

    private mutating func setThreshold(_ bytes: Int) {
        thresholdBytes = min(max(bytes, leastThresholdBytes), mostThresholdBytes)
    }

    /// Records the excess after a trim.
    mutating func trimmed(excessBytes: Int) {
        baseline = excessBytes
        last = excessBytes
        looksSinceTrim = 0
    }

    /// The level of the line about a trim.
    static func level(freed bytes: Int) -> LogLevel { bytes >= leastBytes ? .info : .debug }
}
