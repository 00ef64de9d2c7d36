import Testing

@testable import ChatClientKit

@Suite("KeyDecoder") struct KeyDecoderTests {
    private func keys(_ bytes: [UInt8]) -> [Key] {
        var decoder = KeyDecoder()
        return bytes.compactMap { decoder.decode($0) }
    }

    private func keys(_ text: String) -> [Key] { keys(Array(text.utf8)) }

    private func typed(_ text: String) -> [Key] { text.unicodeScalars.map { .text($0) } }

    @Test("Decodes text in any script")
    func text() {
        for text in ["abc XYZ ~", "grüß", "世界", "👋🏽", "e\u{301}"] {
            #expect(keys(text) == typed(text))
        }
    }

    @Test(
        "Decodes each key as one, however many bytes it has",
        arguments: [
            ("\u{1B}[A", Key.up), ("\u{1B}OA", .up), ("\u{1B}[B", .down), ("\u{1B}[C", .right),
            ("\u{1B}[D", .left), ("\u{1B}[H", .home), ("\u{1B}[F", .end), ("\u{1B}[1~", .home),
            ("\u{1B}[4~", .end), ("\u{1B}[3~", .delete), ("\u{1B}[1;5D", .wordLeft),
            ("\u{1B}[1;5C", .wordRight), ("\u{1B}b", .wordLeft), ("\r", .enter), ("\n", .enter),
            ("\u{7F}", .backspace), ("\u{08}", .backspace), ("\u{01}", .home), ("\u{05}", .end),
            ("\u{03}", .interrupt), ("\u{04}", .endOfInput), ("\u{15}", .eraseToStart),
            ("\u{0B}", .eraseToEnd), ("\u{17}", .eraseWord), ("\u{0C}", .redraw),
            ("\u{1A}", .suspend),
        ])
    func key(bytes: String, key: Key) {
        #expect(keys(bytes) == [key])
        #expect(keys("a" + bytes + "b") == [.text("a"), key, .text("b")])
    }

    @Test("Ignores unknown sequences")
    func unknownSequences() {
        #expect(keys("\u{1B}[15~x") == [.text("x")])
        #expect(keys("\u{1B}[200~x") == [.text("x")])
        #expect(keys("\u{1B}qx") == [.text("x")])
        #expect(keys("\u{00}\u{1C}x") == [.text("x")])
    }

    @Test("A sequence has 16 bytes at most, its last one included")
    func sequenceLimit() {
        func keys(digits: Int) -> [Key] {
            self.keys("\u{1B}[" + String(repeating: "1", count: digits) + "m")
        }
        #expect(keys(digits: 15) == [])
        #expect(keys(digits: 16) == typed("m"))
    }

    @Test("Ends a sequence that is too long")
    func longSequence() {
        let keys = keys("\u{1B}[" + String(repeating: "1", count: 100) + "x")
        #expect(keys.last == .text("x"))
    }

    @Test(
        "A paste ends wherever its text ends, also within a sequence or a character",
        arguments: [
            [0x1B], [0x1B, 0x5B], [0x1B, 0x4F], [0x1B, 0x5B, 0x32], [0x1B, 0x5B, 0x32, 0x30, 0x31],
            [0x1B, 0x1B, 0x5B], [0xE4], [0xE4, 0xB8], [0x0D], [0xFF],
        ])
    func pasteWithinSequence(end: [UInt8]) {
        let bytes = Array("\u{1B}[200~a".utf8) + end + Array("\u{1B}[201~\u{1B}[A\rb".utf8)
        let text = end == [0x0D] ? "a\n" : "a"
        #expect(keys(bytes) == typed(text) + [.up, .enter, .text("b")])
    }

    @Test("A key after an incomplete sequence is decoded")
    func incompleteSequence() {
        #expect(keys("\u{1B}[\u{1B}[A") == [.up])
        #expect(keys("\u{1B}[1;5\u{1B}bx") == [.wordLeft, .text("x")])
    }

    @Test("Drops invalid UTF-8 and keeps the next character")
    func invalidUTF8() {
        #expect(keys([0xFF, 0x61]) == [.text("a")])
        #expect(keys([0xC3, 0x61]) == [.text("a")])
        #expect(keys([0xE4, 0xB8, 0x1B, 0x5B, 0x41]) == [.up])
        // A surrogate and an overlong form.
        #expect(keys([0xED, 0xA0, 0x80, 0x61]) == [.text("a")])
        #expect(keys([0xE0, 0x80, 0x80, 0x61]) == [.text("a")])
    }

    @Test("A paste is text: its line ends are line feeds, and no key is pressed")
    func paste() {
        let pasted = "a\rb\nc\r\n\r\nd\te\u{03}\u{1A}\u{7F}\u{1B}[A\u{1B}bf世"
        let bytes = Array("\u{1B}[200~\(pasted)\u{1B}[201~\r".utf8)
        #expect(keys(bytes) == typed("a\nb\nc\n\nd\tef世") + [.enter])
        // A whole line, with its end.
        #expect(keys("\u{1B}[200~a\r\u{1B}[201~\rb") == typed("a\n") + [.enter, .text("b")])
        // In whatever parts it arrives, since the decoder takes single bytes; also twice.
        #expect(keys(bytes + bytes) == keys(bytes) + keys(bytes))
    }
}
