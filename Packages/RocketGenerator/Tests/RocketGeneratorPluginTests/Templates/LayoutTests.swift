import Testing

@testable import RocketGeneratorPlugin

@Suite("Layout of generated code")
struct LayoutTests {
    /// Returns an argument with which `f(…)` has `columns` columns.
    private func item(for columns: Int) -> String {
        String(repeating: "x", count: columns - "f()".count)
    }

    @Test("Keeps code that fits on one line")
    func leavesOnOneLine() {
        let item = item(for: 100)
        #expect(Layout.list("f", [item], depth: 0, closingOnOwnLine: true) == ["f(\(item))"])
    }

    @Test("Moves the items to a second line if the code is one column too long")
    func breaksAtTheLimit() {
        let item = item(for: 97)
        #expect(
            Layout.list("f", [item], depth: 1, closingOnOwnLine: true)
                == ["f(", "    \(item)", ")"])
    }

    @Test("Counts indentation that is added later")
    func countsTheIndentation() {
        let item = item(for: 92)
        #expect(Layout.list("f", [item], depth: 2, closingOnOwnLine: true).count == 1)
        #expect(Layout.list("f", [item], depth: 3, closingOnOwnLine: true).count == 3)
    }

    @Test("Closes a call after its last argument")
    func putsTheBracketBehind() {
        let item = item(for: 90)
        #expect(
            Layout.list("someFunction", ["a", item], " x", depth: 0, closingOnOwnLine: false)
                == ["someFunction(", "    a, \(item)) x"])
    }

    @Test("Writes one item per line if they do not fit on one")
    func givesEveryItemALine() {
        let item = item(for: 90)
        #expect(
            Layout.list("f", [item, item], ";", depth: 0, closingOnOwnLine: true)
                == ["f(", "    \(item),", "    \(item)", ");"])
        #expect(
            Layout.list("f", [item, item], ";", depth: 0, closingOnOwnLine: false)
                == ["f(", "    \(item),", "    \(item));"])
    }

    @Test("Separates blocks by one empty line and skips empty blocks")
    func separatesBlocks() {
        #expect(Lines.joined([["a", "b"], [], ["c"]]) == ["a", "b", "", "c"])
        #expect(Lines.joined([]) == [])
        #expect(["a", "", "b"].indented == ["    a", "", "    b"])
        #expect(["a", "b"].text == "a\nb\n")
    }
}
