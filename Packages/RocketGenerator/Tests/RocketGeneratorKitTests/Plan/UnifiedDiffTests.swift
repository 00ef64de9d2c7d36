import Testing

@testable import RocketGeneratorKit

@Suite("The difference of two texts")
struct UnifiedDiffTests {
    @Test("of equal ones is empty")
    func equal() {
        #expect(UnifiedDiff("a\nb\n", "a\nb\n").text == "")
    }

    @Test("shows a change with three lines around it")
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

    @Test("shows a new file whole")
    func new() {
        #expect(UnifiedDiff("", "a\nb\n").text == "@@ -0,0 +1,2 @@\n+a\n+b\n")
    }

    @Test("has a hunk for each distant change")
    func distant() {
        let old = (1...30).map { "line \($0)\n" }.joined()
        let new = old.replacing("line 2\n", with: "").replacing("line 29\n", with: "x\n")
        #expect(UnifiedDiff(old, new).text.split(separator: "\n").count { $0.hasPrefix("@@") } == 2)
    }
}
