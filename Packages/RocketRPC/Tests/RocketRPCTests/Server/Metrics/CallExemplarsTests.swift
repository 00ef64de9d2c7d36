import RocketBase
import RocketSystem
import Testing

@testable import RocketRPC

@Suite("Examples of traced calls")
struct CallExemplarsTests {
    private func read(_ exemplars: CallExemplars, _ method: Int = 0) -> [CallExemplars.Entry] {
        var newest = [CallExemplars.Entry?](repeating: nil, count: CallExemplars.slotCount)
        exemplars.read(method, into: &newest)
        return newest.compactMap(\.self)
    }

    private func trace(_ number: UInt64) -> TraceParent {
        TraceParent(
            traceID: TraceID(high: 1, low: number), span: number, isSampled: true)
    }

    @Test("The last call of each doubling of the latency is kept, for each method")
    func slots() {
        let exemplars = CallExemplars(methodCount: 2)
        #expect(read(exemplars).isEmpty)
        exemplars.record(trace(1), 300_000, of: 0, at: 10)
        exemplars.record(trace(2), 400_000, of: 0, at: 11)
        exemplars.record(trace(3), 5_000_000, of: 0, at: 12)
        exemplars.record(trace(4), 0, of: 1, at: 13)
        exemplars.record(trace(5), .max, of: 1, at: 14)
        #expect(read(exemplars).map(\.trace.traceID.low) == [2, 3])
        #expect(read(exemplars).map(\.duration) == [400_000, 5_000_000])
        #expect(read(exemplars).map(\.endedAt) == [11, 12])
        #expect(read(exemplars, 1).map(\.trace.traceID.low) == [4, 5])
    }

    @Test("Of several loops the latest call counts")
    func loops() {
        let (first, second) = (CallExemplars(methodCount: 1), CallExemplars(methodCount: 1))
        first.record(trace(1), 1000, of: 0, at: 20)
        second.record(trace(2), 1000, of: 0, at: 19)
        second.record(trace(3), 9000, of: 0, at: 18)
        var newest = [CallExemplars.Entry?](repeating: nil, count: CallExemplars.slotCount)
        first.read(0, into: &newest)
        second.read(0, into: &newest)
        #expect(newest.compactMap { $0?.trace.traceID.low } == [1, 3])
    }

    @Test("A reader on another thread never sees a mixture of two calls")
    func concurrent() throws {
        let exemplars = CallExemplars(methodCount: 1)
        let writer = try SystemThread(name: "writer") {
            for number in 1...200_000 as ClosedRange<UInt64> {
                exemplars.record(
                    TraceParent(
                        traceID: TraceID(high: number, low: number), span: number,
                        isSampled: true),
                    1000, of: 0, at: number)
            }
        }
        var last: UInt64 = 0
        while last < 200_000 {
            guard let entry = read(exemplars).first else { continue }
            #expect(
                entry.trace.traceID.high == entry.trace.traceID.low
                    && entry.trace.span == entry.endedAt)
            #expect(entry.trace.traceID.low == entry.endedAt && entry.endedAt >= last)
            last = entry.endedAt
        }
        writer.join()
    }
}
