import Testing

@testable import ChatClientKit

@Suite("LineSplitter") struct LineSplitterTests {
    private func lines(_ splitter: inout LineSplitter) -> [String] {
        var all: [String] = []
        while let line = splitter.next() { all.append(String(decoding: line, as: UTF8.self)) }
        return all
    }

    @Test("Returns the same lines for every size of the parts")
    func parts() {
        let text = Array("one\n\ntwo words\r\nthree\nrest".utf8)
        for size in 1...text.count {
            var splitter = LineSplitter(limitBytes: 100)
            var all: [String] = []
            var rest = text[...]
            while !rest.isEmpty {
                splitter.append(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
                all += lines(&splitter)
            }
            #expect(all == ["one", "", "two words", "three"])
            #expect(splitter.pendingBytes == 4)
            splitter.end()
            #expect(lines(&splitter) == ["rest"])
            #expect(lines(&splitter) == [])
        }
    }

    @Test("The end after a line feed adds no line")
    func endAfterLineFeed() {
        var splitter = LineSplitter(limitBytes: 100)
        splitter.append(Array("a\n".utf8))
        splitter.end()
        #expect(lines(&splitter) == ["a"])
    }

    @Test("Keeps little of a line that is too long, which still is too long")
    func longLine() {
        for end in ["\n", "\r\n"] {
            var splitter = LineSplitter(limitBytes: 10)
            for _ in 0..<100 {
                splitter.append(Array("0123456789".utf8))
                #expect(splitter.next() == nil)
                #expect(splitter.pendingBytes <= 12)
            }
            splitter.append(Array((end + "0123456789" + end + "next").utf8))
            #expect((splitter.next()?.count ?? 0) > 10)
            #expect(lines(&splitter) == ["0123456789"])
            splitter.append(Array(end.utf8))
            #expect(lines(&splitter) == ["next"])
        }
    }

    @Test("A line whose last bytes beyond the limit are carriage returns still is too long")
    func longLineOfReturns() {
        var splitter = LineSplitter(limitBytes: 10)
        splitter.append(Array("0123456789\r\r".utf8))
        #expect(splitter.next() == nil)
        splitter.append(Array("\n".utf8))
        #expect(splitter.next()?.count == 11)
    }
}
