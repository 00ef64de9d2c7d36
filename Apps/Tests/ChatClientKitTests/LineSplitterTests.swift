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
            var splitter = LineSplitter()
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
        var splitter = LineSplitter()
        splitter.append(Array("a\n".utf8))
        splitter.end()
        #expect(lines(&splitter) == ["a"])
    }
}
