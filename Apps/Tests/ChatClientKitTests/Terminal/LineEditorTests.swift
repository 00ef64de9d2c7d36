import Testing

@testable import ChatClientKit

@Suite("LineEditor") struct LineEditorTests {
    private func editor(_ text: String, _ keys: Key..., limit: Int = 1000) -> LineEditor {
        var editor = LineEditor(limitBytes: limit)
        type(text, into: &editor)
        for key in keys { _ = editor.handle(key) }
        return editor
    }

    private func type(_ text: String, into editor: inout LineEditor) {
        for scalar in text.unicodeScalars { _ = editor.handle(.text(scalar)) }
    }

    private func enter(_ text: String, into editor: inout LineEditor) {
        type(text, into: &editor)
        _ = editor.handle(.enter)
    }

    @Test("Inserts typed text before the cursor")
    func typing() {
        let editor = editor("hello")
        #expect(editor.before == "hello")
        #expect(editor.after == "")
    }

    @Test("Moves the cursor and inserts text at its position")
    func moving() {
        var editor = editor("held", .left, .left)
        type("l", into: &editor)
        #expect((editor.before, editor.after) == ("hel", "ld"))
        _ = editor.handle(.home)
        #expect(editor.before == "")
        #expect(editor.handle(.left) == .unchanged)
        _ = editor.handle(.end)
        #expect(editor.after == "")
        #expect(editor.handle(.right) == .unchanged)
    }

    @Test("Backspace and delete remove one grapheme cluster")
    func deleting() {
        for character in ["x", "ß", "世", "e\u{301}", "👨‍👩‍👧", "🇩🇪", "👋🏽"] {
            let one = editor("a" + character, .backspace)
            #expect(one.text == "a")
            let two = editor("a" + character + "b", .home, .right, .delete)
            #expect(two.text == "ab")
        }
        var empty = editor("")
        #expect(empty.handle(.backspace) == .unchanged)
        #expect(empty.handle(.delete) == .unchanged)
    }

    @Test("Erases to the start, to the end, or a word")
    func erasing() {
        #expect(editor("one two", .left, .eraseToStart).text == "o")
        #expect(editor("one two", .left, .eraseToEnd).text == "one tw")
        #expect(editor("one two  ", .eraseWord).text == "one ")
        #expect(editor("one two", .wordLeft, .wordLeft, .wordRight, .eraseToEnd).text == "one")
    }

    @Test("Enter returns the line and clears the editor")
    func entering() {
        var editor = editor("one", .left)
        #expect(editor.handle(.enter) == .line("one"))
        #expect(editor.text == "")
        #expect(editor.handle(.enter) == .line(""))
    }

    @Test("Ctrl-D leaves on an empty line, and deletes otherwise")
    func endOfInput() {
        var editor = editor("ab", .home)
        #expect(editor.handle(.endOfInput) == .changed)
        #expect(editor.text == "b")
        #expect(editor.handle(.endOfInput) == .changed)
        #expect(editor.handle(.endOfInput) == .leave)
        #expect(editor.handle(.interrupt) == .leave)
    }

    @Test("Up and down show the history and keep the draft")
    func history() {
        var editor = editor("")
        enter("first", into: &editor)
        enter("second", into: &editor)
        enter("second", into: &editor)
        type("draft", into: &editor)
        _ = editor.handle(.up)
        #expect(editor.text == "second")
        _ = editor.handle(.up)
        #expect(editor.text == "first")
        #expect(editor.handle(.up) == .unchanged)
        _ = editor.handle(.down)
        _ = editor.handle(.down)
        #expect(editor.text == "draft")
        #expect(editor.handle(.down) == .unchanged)
    }

    @Test("Limits the history")
    func historyLimit() {
        var editor = editor("")
        for number in 0..<(LineEditor.historyLines + 10) { enter("\(number)", into: &editor) }
        for _ in 0..<(LineEditor.historyLines + 10) { _ = editor.handle(.up) }
        #expect(editor.text == "10")
    }

    @Test("Ignores text beyond the limit in bytes")
    func lineLimit() {
        let editor = editor("1234世界", limit: 8)
        #expect(editor.text == "1234世")
        #expect(self.editor("1234世a", limit: 7).text == "1234世")
        #expect(self.editor("12345", limit: 4).text == "1234")
    }

    @Test("Line feeds of pasted text belong to the line")
    func pastedLines() {
        var editor = editor("one\ntwo", .home, .end)
        #expect(editor.handle(.suspend) == .suspend)
        #expect(editor.handle(.enter) == .line("one\ntwo"))
        _ = editor.handle(.up)
        #expect(editor.text == "one\ntwo")
    }

    @Test("Reports a change of the shown line, also between lines of the same length")
    func historyChange() {
        var editor = editor("")
        enter("one", into: &editor)
        enter("two", into: &editor)
        #expect(editor.handle(.up) == .changed)
        #expect(editor.handle(.up) == .changed)
        #expect(editor.handle(.up) == .unchanged)
        #expect(editor.text == "one")
    }
}
