import Testing

@testable import RocketGRPC

@Suite("What a server may have received")
struct SentMarksTests {
    @Test("A frame counts as received from the first byte of the flush with it")
    func marks() {
        var marks = SentMarks()
        let none = marks.sent(below: 0)
        marks.taken(100)
        let unflushed = marks.sent(below: 1000)
        marks.flushing()
        marks.flushed(50)
        marks.taken(10)
        marks.flushing()
        marks.flushed(20)
        marks.flushing()
        marks.flushed(20)
        let before = marks.sent(below: 0)
        let first = marks.sent(below: 1)
        let still = marks.sent(below: 50)
        let second = marks.sent(below: 51)
        let all = marks.sent(below: 90)
        let found = [none, unflushed, before, first, still, second, all]
        #expect(found == [0, 0, 0, 100, 100, 110, 110])
    }
}
