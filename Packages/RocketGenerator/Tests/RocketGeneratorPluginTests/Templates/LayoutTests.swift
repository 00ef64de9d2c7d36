import Testing

@testable import RocketGeneratorPlugin

@Suite("Layout")
struct LayoutTests {
    /// So long that `f(…)` with it has `columns` columns.
    private func item(for columns: Int) -> String {
        String(repeating: "x", count: columns - "f()".count)
    }

    @Test("leaves on one line what fits")
    func leavesOnOneLine() {
        let item = item(for: 100)
        #expect(Layout.list("f", [item], depth: 0, closingOnOwnLine: true) == ["f(\(item))"])
    }

    @Test("gives the items a line of their own when the whole is one column too long")
    func breaksAtTheLimit() {
        let item = item(for: 97)
        #expect(
            Layout.list("f", [item], depth: 1, closingOnOwnLine: true)
                == ["f(", "    \(item)", ")"])
    }

    @Test("counts the indentation that is still to come")
    func countsTheIndentation() {
        let item = item(for: 92)
        #expect(Layout.list("f", [item], depth: 2, closingOnOwnLine: true).count == 1)
        #expect(Layout.list("f", [item], depth: 3, closingOnOwnLine: true).count == 3)
    }

    @Test("puts a call's bracket behind its last argument")
    func putsTheBracketBehind() {
        let item = item(for: 90)
        #expect(
            Layout.list("someFunction", ["a", item], " x", depth: 0, closingOnOwnLine: false)
                == ["someFunction(", "    a, \(item)) x"])
    }

    @Test("gives every item a line when they don't fit on one")
    func givesEveryItemALine() {
        let item = item(for: 90)
        #expect(
            Layout.list("f", [item, item], ";", depth: 0, closingOnOwnLine: true)
                == ["f(", "    \(item),", "    \(item)", ");"])
        #expect(
            Layout.list("f", [item, item], ";", depth: 0, closingOnOwnLine: false)
                == ["f(", "    \(item),", "    \(item));"])
    }

    @Test("separates blocks by one empty line and forgets empty ones")
    func separatesBlocks() {
        #expect(Lines.joined([["a", "b"], [], ["c"]]) == ["a", "b", "", "c"])
        #expect(Lines.joined([]) == [])
        #expect(["a", "", "b"].indented == ["    a", "", "    b"])
        #expect(["a", "b"].text == "a\nb\n")
    }
}
