import RocketSystem
import Testing

@testable import RocketTCP

@Suite struct LoopBalanceTests {
    private struct Looks {
        var balance = LoopBalance()
        private var now = MonotonicTime(nanoseconds: 0)
        private var worked: [UInt64]

        init(_ loops: Int) {
            worked = Array(repeating: 0, count: loops)
            _ = balance.look(at: now, worked: worked)
        }

        /// The look after a second with these loads.
        mutating func look(_ loads: [Double]) -> [LoopBalance.Transfer] {
            now = now + .seconds(1)
            for index in loads.indices { worked[index] += UInt64(loads[index] * 1e9) }
            return balance.look(at: now, worked: worked)
        }
    }

    @Test("The busiest loop gives to the idlest, the second to the second idlest")
    func pairs() {
        var looks = Looks(5)
        #expect(
            looks.look([0.6, 0.1, 0.9, 0.2, 0.5])
                == [.init(source: 2, target: 1), .init(source: 0, target: 3)])
    }

    @Test(
        "Little load and small differences move nothing",
        arguments: [[0.49, 0], [0.9, 0.75], [0.5, 0.5], [1, 0.9]])
    func nothing(loads: [Double]) {
        var looks = Looks(2)
        #expect(looks.look(loads).isEmpty)
    }

    @Test("The loops of a transfer take part in none of the next two looks")
    func pause() {
        var looks = Looks(2)
        let transfer = LoopBalance.Transfer(source: 0, target: 1)
        #expect(looks.look([0.9, 0.1]) == [transfer])
        #expect(looks.look([0.9, 0.1]).isEmpty)
        #expect(looks.look([0.9, 0.1]).isEmpty)
        #expect(looks.look([0.9, 0.1]) == [transfer])
    }

    private func chosen(_ bytes: [UInt64], total: UInt64? = nil, _ load: Double, _ other: Double)
        -> [Int]
    {
        LoopBalance.chosen(
            of: bytes.enumerated().map { .init(index: $0.offset, bytes: $0.element) },
            totalBytes: total ?? bytes.reduce(0, +), load: load, other: other)
    }

    @Test("Chooses the connections that make the load, until both loops are about as busy")
    func choice() {
        #expect(chosen([1, 1, 1, 1], 0.8, 0) == [0, 1])
        #expect(chosen([0, 10, 0, 10], 0.8, 0) == [1])
        #expect(chosen([3, 5, 2], 0.8, 0.2) == [1])
        #expect(chosen([1, 1, 1, 1], 0.8, 0.75).isEmpty && chosen([1, 1], 0.4, 0).isEmpty)
    }

    @Test("What makes more than three quarters of the difference stays")
    func large() {
        #expect(chosen([9], 0.9, 0).isEmpty)
        #expect(chosen([90, 5, 5], 1, 0) == [1, 2])
        #expect(chosen([50, 50], 0.8, 0.1) == [0])
        // Of the other connections nothing may move.
        #expect(chosen([50], total: 100, 0.8, 0.4).isEmpty)
    }

    @Test("At most 64 connections move at a time")
    func limit() {
        #expect(chosen(Array(repeating: 1, count: 1000), 1, 0).count == 64)
    }
}
