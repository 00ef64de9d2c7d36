import Testing

@testable import RocketGeneratorPlugin

@Suite("Comments of a .proto file")
struct CommentLinesTests {
    @Test("lose the blank after the slashes and blanks at the end, nothing else")
    func loseTheirForm() {
        #expect(CommentLines.cleaned(" one  \n\n   two\nthree\n") == ["one", "", "  two", "three"])
    }

    @Test("lose empty lines at both ends")
    func loseEmptyLines() {
        #expect(CommentLines.cleaned("\n \n one\n\n") == ["one"])
    }

    @Test("lose the second star of a documentation block")
    func loseTheSecondStar() {
        #expect(CommentLines.cleaned("* Finds things.\n\n") == ["Finds things."])
    }

    @Test("may be missing")
    func mayBeMissing() {
        #expect(CommentLines.cleaned("") == [])
        #expect(CommentLines.cleaned(" \n \n") == [])
    }
}
