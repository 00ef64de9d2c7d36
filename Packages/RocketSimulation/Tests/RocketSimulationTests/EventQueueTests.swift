import RocketSystem
import Testing

@testable import RocketSimulation

@Suite struct EventQueueTests {
    @Test("Returns events by time, then by tie, then in the order of their insertion")
    func order() {
        var queue = EventQueue<Int>()
        let moment = { (time: UInt64) in MonotonicTime(nanoseconds: time) }
        for (event, (time, tie)) in [(5, 1), (3, 9), (3, 2), (5, 1), (3, 2), (1, 7)].enumerated() {
            queue.insert(event, at: moment(UInt64(time)), tie: UInt64(tie))
        }
        #expect(queue.nextTime == moment(1))
        var popped: [Int] = []
        while let (_, event) = queue.popFirst() { popped.append(event) }
        #expect(popped == [5, 2, 4, 1, 0, 3])
        #expect(queue.isEmpty)
    }

    @Test("Random insertions come out sorted", arguments: 1...20)
    func sorted(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var queue = EventQueue<UInt64>()
        let times = (0..<500).map { _ in UInt64.random(in: 0...100, using: &random) }
        for time in times { queue.insert(time, at: MonotonicTime(nanoseconds: time), tie: 0) }
        var popped: [UInt64] = []
        while let (_, event) = queue.popFirst() { popped.append(event) }
        #expect(popped == times.sorted())
    }

    @Test("Generators of one seed differ by their purpose, and do not depend on each other")
    func generators() {
        var a = SeededGenerator.derived(from: 1, "a")
        var b = SeededGenerator.derived(from: 1, "b")
        #expect(a.next() != b.next())
        var again = SeededGenerator.derived(from: 1, "b")
        _ = again.next()
        #expect(again.next() == b.next())
    }
}
