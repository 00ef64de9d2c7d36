import EndToEndKit
import Foundation
import Testing

/// The screen of chat_client in a real terminal.
@Suite(.enabled(if: TmuxTerminal.isInstalled, "needs tmux"))
struct ChatTerminalTests {
    private struct Fixture {
        let server: ChatServerProcess
        let terminal: TmuxTerminal
        let other: ChatConnection
    }

    /// A client in a terminal of 40 columns is client1, a plain socket client2.
    private func fixture() throws -> Fixture {
        let server = try ChatServerProcess(in: Workspace())
        let terminal = try TmuxTerminal(
            "\(Programs.path("chat_client")) 127.0.0.1 \(server.port)", columns: 40, rows: 12,
            in: server.workspace)
        #expect(server.waits(for: 1, of: "client joined"))
        let other = try ChatConnection(port: server.port)
        #expect(server.waits(for: 2, of: "client joined"))
        return Fixture(server: server, terminal: terminal, other: other)
    }

    @Test("Messages that arrive while a line is being typed leave the line intact")
    func typingDuringMessages() throws {
        let fixture = try fixture()
        let text = "a line with grüße and 世界"
        for (number, character) in text.enumerated() {
            try fixture.terminal.type(String(character))
            try fixture.other.send("message \(number)")
        }
        let last = "from: client2: message \(text.count - 1)"
        let rows = try fixture.terminal.screen { $0.suffix(2) == [last, "> " + text] }
        #expect(rows.last == "> " + text, "\(rows)")
        // The screen has whole messages in their order, and nothing else.
        let first = text.count - (rows.count - 1)
        #expect(
            Array(rows.dropLast())
                == (first..<text.count).map { "from: client2: message \($0)" }, "\(rows)")
        #expect(try fixture.terminal.cursor() == [2 + 26, rows.count - 1])
        try fixture.terminal.press("Enter")
        #expect(try fixture.other.receive() == "from: client1: " + text)
        let after = try fixture.terminal.screen { $0.last == ">" }
        #expect(after.suffix(2) == ["> " + text, ">"], "\(after)")
    }

    @Test("Keys edit the line: arrows, home, backspace over wide characters, history")
    func editing() throws {
        let fixture = try fixture()
        try fixture.terminal.type("世界peace")
        try fixture.terminal.press(
            "Home", "Right", "Right", "BSpace", "BSpace", "End", "Left", "DC")
        #expect(try fixture.terminal.screen { $0.last == "> peac" }.last == "> peac")
        try fixture.terminal.press("Enter")
        #expect(try fixture.other.receive() == "from: client1: peac")
        try fixture.terminal.press("Up")
        #expect(try fixture.terminal.screen { $0.last == "> peac" }.last == "> peac")
        try fixture.terminal.type("e")
        try fixture.terminal.press("Enter")
        #expect(try fixture.other.receive() == "from: client1: peace")
    }

    @Test("Resizing the terminal redraws one input line and leaves no remains of the old one")
    func resizing() throws {
        let fixture = try fixture()
        let text = "0123456789abcdefghijklmnopqrstu"
        try fixture.terminal.type(text)
        _ = try fixture.terminal.screen { $0.last == "> " + text }
        try fixture.terminal.resize(columns: 20, rows: 12)
        let narrow = try fixture.terminal.screen { $0.last == "> efghijklmnopqrstu" }
        #expect(narrow.filter { $0.hasPrefix(">") } == ["> efghijklmnopqrstu"], "\(narrow)")
        try fixture.other.send("hi")
        #expect(
            try fixture.terminal.screen { $0.contains("from: client2: hi") }.suffix(2)
                == ["from: client2: hi", "> efghijklmnopqrstu"])
        try fixture.terminal.resize(columns: 60, rows: 12)
        let wide = try fixture.terminal.screen { $0.last == "> " + text }
        #expect(wide.filter { $0.hasPrefix(">") } == ["> " + text], "\(wide)")
        try fixture.terminal.press("Enter")
        #expect(try fixture.other.receive() == "from: client1: " + text)
    }

    @Test("exit and Ctrl-D end the client and restore the terminal", arguments: ["exit", "C-d"])
    func leaving(how: String) throws {
        let fixture = try fixture()
        _ = try fixture.terminal.screen { $0.last == ">" }
        if how == "exit" {
            try fixture.terminal.type(how)
            try fixture.terminal.press("Enter")
        } else {
            try fixture.terminal.press(how)
        }
        let rows = try fixture.terminal.screen { $0.contains("ended") }
        #expect(rows.suffix(2) == [" echo", "ended"], "\(rows)")
        #expect(fixture.server.waits(for: 1, of: "client left name=client1"))
    }

    @Test("Reports a lost connection and restores the terminal")
    func lostConnection() throws {
        let fixture = try fixture()
        try fixture.terminal.type("unsent")
        _ = try fixture.terminal.screen { $0.last == "> unsent" }
        fixture.server.child.send(SIGKILL)
        let rows = try fixture.terminal.screen { $0.contains("ended") }
        #expect(rows.contains { $0.hasPrefix("chat_client: the connection is lost") }, "\(rows)")
        #expect(rows.suffix(2) == [" echo", "ended"], "\(rows)")
    }
}
