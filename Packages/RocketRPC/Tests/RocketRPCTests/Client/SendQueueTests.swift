import Testing

@testable import RocketRPC

@Suite struct SendQueueTests {
    func id(_ number: Int) throws -> CallID { try callID([UInt8]("\(number)".utf8)) }

    @Test("Ids come out in the order in which they went in")
    func order() throws {
        var queue = SendQueue()
        for number in 0..<500 { queue.append(try id(number)) }
        for number in 0..<300 {
            #expect(queue.popFirst() == (try id(number)))
        }
        for number in 500..<600 { queue.append(try id(number)) }
        #expect(queue.count == 300)
        for number in 300..<600 { #expect(queue.popFirst() == (try id(number))) }
        #expect(queue.isEmpty && queue.popFirst() == nil)
    }

    @Test("Ids of ended calls are removed, the others keep their order")
    func removesEnded() throws {
        var queue = SendQueue()
        for number in 0..<10 { queue.append(try id(number)) }
        #expect(queue.popFirst() == (try id(0)))
        let gone = try id(5)
        queue.removeAll { $0 == gone }
        #expect(queue.count == 8)
        for number in [1, 2, 3, 4, 6, 7, 8, 9] {
            #expect(queue.popFirst() == (try id(number)))
        }
    }
}
