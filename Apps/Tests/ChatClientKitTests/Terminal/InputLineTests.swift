import Testing

@testable import ChatClientKit

@Suite("InputLine and DisplayWidth") struct InputLineTests {
    private func editor(_ text: String, left: Int = 0) -> LineEditor {
        var editor = LineEditor()
        for scalar in text.unicodeScalars { _ = editor.handle(.text(scalar)) }
        for _ in 0..<left { _ = editor.handle(.left) }
        return editor
    }

    @Test(
        "Counts columns as terminals do",
        arguments: [
            ("a", 1), ("ß", 1), ("世", 2), ("ｱ", 1), ("Ａ", 2), ("한", 2), ("e\u{301}", 1), ("👋🏽", 2),
            ("👨‍👩‍👧", 2), ("🇩🇪", 2), ("❤️", 2), ("❤", 1), ("あ", 2), ("", 0), ("grüß 世界", 9),
        ])
    func displayWidth(text: String, columns: Int) {
        #expect(DisplayWidth.of(text) == columns)
    }

    @Test("Moves the cursor to its position in the line")
    func cursor() {
        var line = InputLine()
        #expect(line.draw(editor("abc"), columns: 80) == "> abc")
        #expect(line.erase(columns: 80) == "\r\u{1B}[J")
        #expect(line.draw(editor("a世b", left: 2), columns: 80) == "> a世b\u{1B}[3D")
    }

    @Test("Shows the part around the cursor of a line that is too wide")
    func scrolling() {
        let view = InputLine.visible(editor("0123456789"), columns: 8)
        #expect(view == ("56789", ""))
        let middle = InputLine.visible(editor("0123456789", left: 5), columns: 8)
        #expect(middle == ("1234", "5"))
        let start = InputLine.visible(editor("0123456789", left: 10), columns: 8)
        #expect(start == ("", "01234"))
    }

    @Test("Never splits a wide character")
    func wideCharacters() {
        for columns in 3...20 {
            for left in 0...10 {
                let view = InputLine.visible(editor("一二三四五六七八九十", left: left), columns: columns)
                let width = DisplayWidth.of(view.before) + DisplayWidth.of(view.after)
                #expect(width <= max(2, columns - 3), "\(columns) columns, \(left) left")
                #expect("一二三四五六七八九十".contains(view.before + view.after))
            }
        }
    }

    @Test("Erases all rows of a line that a narrower terminal has wrapped")
    func wrappedLine() {
        var line = InputLine()
        _ = line.draw(editor("0123456789"), columns: 80)
        #expect(line.erase(columns: 5) == "\u{1B}[2A\r\u{1B}[J")
        #expect(line.erase(columns: 5) == "\r\u{1B}[J")
        // The cursor is in the first row.
        _ = line.draw(editor("0123456789", left: 10), columns: 80)
        #expect(line.erase(columns: 5) == "\r\u{1B}[J")
    }

    @Test("Draws any bytes of others at any width")
    func randomMessages() {
        for columns in 0...12 {
            let screen = TerminalScreen(limitBytes: 100, write: { _ in }, columns: { columns })
            var keys = KeyDecoder()
            screen.open()
            for _ in 0..<200 {
                let bytes = (0..<Int.random(in: 0..<20)).map { _ in UInt8.random(in: 0...255) }
                screen.show(message: bytes)
                for byte in bytes { if let key = keys.decode(byte) { _ = screen.handle(key) } }
                screen.refresh()
            }
            screen.close()
        }
    }

    @Test("Writes messages above the input line, which stays intact")
    func messages() {
        var screenText = ""
        var width = 40
        let screen = TerminalScreen(
            limitBytes: 100, write: { screenText += $0 }, columns: { width })
        screen.open()
        for scalar in "half a li".unicodeScalars { _ = screen.handle(.text(scalar)) }
        screen.refresh()
        screenText = ""
        screen.show(message: Array("from: client1: \u{1B}[2Jhi".utf8))
        #expect(screenText == "\r\u{1B}[Jfrom: client1: \\u{1B}[2Jhi\n> half a li")
        width = 8
        screenText = ""
        screen.redraw()
        #expect(screenText == "\u{1B}[1A\r\u{1B}[J>  a li")
    }

    @Test(
        "Control and format characters of others never reach the terminal",
        arguments: [
            0x00...0x1F, 0x7F...0x9F, 0xAD...0xAD, 0x061C...0x061C, 0x200E...0x200F,
            0x2028...0x202E, 0x2066...0x2069, 0xFEFF...0xFEFF, 0xE0001...0xE0001,
        ] as [ClosedRange<UInt32>])
    func controlCharacters(range: ClosedRange<UInt32>) {
        for value in range {
            guard let scalar = Unicode.Scalar(value) else { continue }
            var written = ""
            let screen = TerminalScreen(limitBytes: 100, write: { written += $0 }, columns: { 80 })
            screen.open()
            written = ""
            let text = "a\(scalar)b"
            screen.show(message: Array(text.utf8))
            screen.show(notice: text)
            screen.show(sent: text)
            // What the screen adds itself.
            for own in ["\r\u{1B}[J", "\u{1B}[2m", "\u{1B}[0m", "\n"] {
                written = written.replacing(own, with: "")
            }
            #expect(!written.unicodeScalars.contains(scalar), "U+\(String(value, radix: 16))")
        }
    }

    @Test("Leaves the screen as other programs expect it, and draws the line again when it returns")
    func suspending() {
        var written = ""
        let screen = TerminalScreen(limitBytes: 100, write: { written += $0 }, columns: { 80 })
        screen.open()
        #expect(written == "\u{1B}[?2004h> ")
        for scalar in "hi".unicodeScalars { _ = screen.handle(.text(scalar)) }
        written = ""
        screen.close()
        screen.close()
        #expect(written == "\r\u{1B}[J\u{1B}[?2004l")
        written = ""
        // Without an input line, as long as the terminal belongs to others.
        screen.show(message: Array("m".utf8))
        #expect(written == "m\n")
        written = ""
        screen.open()
        #expect(written == "\u{1B}[?2004h> hi")
        // Stopped and continued without notice.
        written = ""
        screen.open()
        #expect(written == "\r\u{1B}[J\u{1B}[?2004h> hi")
    }
}
