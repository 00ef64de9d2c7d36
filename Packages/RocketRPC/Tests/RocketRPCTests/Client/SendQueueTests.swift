import Testing

@testable import RocketRPC

@Suite struct SendQueueTests {
    func id(_ number: Int) throws -> CallID { try callID([UInt8]("\(number)".utf8)) }

    @Test func itKeepsTheOrderHoweverLongItGets() throws {
        var line = SendQueue()
        for number in 0..<500 { line.append(try id(number)) }
        for number in 0..<300 {
            #expect(line.first == (try id(number)))
            line.removeFirst()
        }
        for number in 500..<600 { line.append(try id(number)) }
        #expect(line.count == 300)
        let rest = try (300..<600).map { try id($0) }
        let taken = line.takeAll()
        #expect(Array(taken) == rest)
        #expect(line.isEmpty && line.first == nil)
    }

    @Test func whoIsGoneIsLeftOut() throws {
        var line = SendQueue()
        for number in 0..<10 { line.append(try id(number)) }
        line.removeFirst()
        let gone = try id(5)
        line.removeAll { $0 == gone }
        #expect(line.count == 8)
        #expect(line.first == (try id(1)))
    }
}
