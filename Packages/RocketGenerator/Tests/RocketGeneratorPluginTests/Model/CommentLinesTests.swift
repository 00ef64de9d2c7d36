import Testing

@testable import RocketGeneratorPlugin

@Suite("Comment of a .proto file")
struct CommentLinesTests {
    @Test("Drops the space after the slashes and spaces at the end, and nothing else")
    func loseTheirForm() {
        #expect(CommentLines.cleaned(" one  \n\n   two\nthree\n") == ["one", "", "  two", "three"])
    }

    @Test("Drops empty lines at both ends")
    func loseEmptyLines() {
        #expect(CommentLines.cleaned("\n \n one\n\n") == ["one"])
    }

    @Test("Drops the second star of a documentation block")
    func loseTheSecondStar() {
        #expect(CommentLines.cleaned("* Finds things.\n\n") == ["Finds things."])
    }

    @Test("Is empty for a missing comment")
    func mayBeMissing() {
        #expect(CommentLines.cleaned("") == [])
        #expect(CommentLines.cleaned(" \n \n") == [])
    }
}
