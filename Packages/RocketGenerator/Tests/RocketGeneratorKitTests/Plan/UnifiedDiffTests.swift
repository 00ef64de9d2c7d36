import Testing

@testable import RocketGeneratorKit

@Suite("Unified diff")
struct UnifiedDiffTests {
    @Test("Is empty for equal texts")
    func equal() {
        #expect(UnifiedDiff("a\nb\n", "a\nb\n").text == "")
    }

    @Test("Shows a change with three lines before and after it")
    func change() {
        let old = (1...9).map { "\($0)\n" }.joined()
        #expect(
            UnifiedDiff(old, old.replacing("5", with: "five")).text == """
                @@ -2,7 +2,7 @@
                 2
                 3
                 4
                -5
                +five
                 6
                 7
                 8

                """)
    }

    @Test("Shows all lines of a new file")
    func new() {
        #expect(UnifiedDiff("", "a\nb\n").text == "@@ -0,0 +1,2 @@\n+a\n+b\n")
    }

    @Test("Has a hunk for each distant change")
    func distant() {
        let old = (1...30).map { "line \($0)\n" }.joined()
        let new = old.replacing("line 2\n", with: "").replacing("line 29\n", with: "x\n")
        #expect(UnifiedDiff(old, new).text.split(separator: "\n").count { $0.hasPrefix("@@") } == 2)
    }
}
