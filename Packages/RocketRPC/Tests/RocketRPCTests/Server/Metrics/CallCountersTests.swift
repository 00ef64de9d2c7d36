import RocketBase
import Testing

@testable import RocketRPC

@Suite("Counters of calls")
struct CallCountersTests {
    private func read(_ counters: CallCounters, _ index: Int = 0) -> RPCServerSnapshot.Method {
        var method = RPCServerSnapshot.Method(name: "m")
        counters.read(index, into: &method)
        return method
    }

    @Test("A method that was never called has no calls")
    func unused() {
        let counters = CallCounters(methodCount: 2)
        #expect(read(counters) == RPCServerSnapshot.Method(name: "m"))
        #expect(read(counters, counters.unknown).started == 0)
    }

    @Test("Each code has its own count, codes of the application up to 16")
    func codes() {
        let counters = CallCounters(methodCount: 1)
        let row = counters.row(0)
        let named: [RPCErrorCode] = [
            .peerClosed, .peerAddress, .callTimeout, .cancelled, .unknown, .unavailable,
        ]
        for code in named { CallCounters.add(code, to: row) }
        for number in Int32(-8)..<12 where number != 0 {
            for _ in 0..<2 { CallCounters.add(RPCErrorCode(rawValue: number), to: row) }
        }
        CallCounters.add(19, to: CallCounters.Field.refused, of: row)
        let ended = read(counters).ended
        for code in named where code != .unknown { #expect(ended[code] == 1) }
        #expect(ended[RPCErrorCode(rawValue: -8)] == 2 && ended[RPCErrorCode(rawValue: 8)] == 2)
        // 19 codes of the application: three had no room.
        #expect(ended[.unknown] == 7)
        #expect(ended.values.reduce(0, +) == 44)
    }

    @Test("What two loops have counted adds up")
    func twoLoops() {
        var method = RPCServerSnapshot.Method(name: "m")
        for _ in 0..<2 {
            let counters = CallCounters(methodCount: 1)
            let row = counters.row(0)
            CallCounters.add(1, to: CallCounters.Field.buckets + 3, of: row)
            CallCounters.add(500, to: CallCounters.Field.nanoseconds, of: row)
            CallCounters.add(1, to: CallCounters.Field.inFlight, of: row)
            counters.read(0, into: &method)
        }
        #expect(method.ended == [.success: 2] && method.inFlight == 2 && method.started == 4)
        #expect(method.latency.count == 2 && method.latency.sum == .nanoseconds(1_000))
    }
}
