import EndToEndKit
import Foundation
import Testing

/// chat_client in a real terminal: what a person sees while others talk.
@Suite(.enabled(if: TmuxTerminal.isInstalled, "tmux shows the screen"))
struct ChatTerminalTests {
    private struct Scene {
        let server: ChatServerProcess
        let terminal: TmuxTerminal
        let other: ChatConnection
    }

    /// A client in a terminal of 40 columns is client1, a plain socket client2.
    private func scene() throws -> Scene {
        let server = try ChatServerProcess(in: Workspace())
        let terminal = try TmuxTerminal(
            "\(Programs.path("chat_client")) 127.0.0.1 \(server.port)", columns: 40, rows: 12,
            in: server.workspace)
        #expect(server.waits(for: 1, of: "client joined"))
        let other = try ChatConnection(port: server.port)
        #expect(server.waits(for: 2, of: "client joined"))
        return Scene(server: server, terminal: terminal, other: other)
    }

    @Test("The line that is being typed is intact however many messages arrive meanwhile")
    func typingWhileOthersTalk() throws {
        let scene = try scene()
        let text = "a line with grüße and 世界"
        for (number, character) in text.enumerated() {
            try scene.terminal.type(String(character))
            try scene.other.say("message \(number)")
        }
        let last = "from: client2: message \(text.count - 1)"
        let rows = try scene.terminal.screen { $0.suffix(2) == [last, "> " + text] }
        #expect(rows.last == "> " + text, "\(rows)")
        // All of the screen is whole messages in their order, and nothing else.
        let first = text.count - (rows.count - 1)
        #expect(
            Array(rows.dropLast())
                == (first..<text.count).map { "from: client2: message \($0)" }, "\(rows)")
        #expect(try scene.terminal.cursor() == [2 + 26, rows.count - 1])
        try scene.terminal.press("Enter")
        #expect(try scene.other.hear() == "from: client1: " + text)
        let after = try scene.terminal.screen { $0.last == ">" }
        #expect(after.suffix(2) == ["> " + text, ">"], "\(after)")
    }

    @Test("Keys edit the line: arrows, home, backspace over wide characters, history")
    func editing() throws {
        let scene = try scene()
        try scene.terminal.type("世界peace")
        try scene.terminal.press("Home", "Right", "Right", "BSpace", "BSpace", "End", "Left", "DC")
        #expect(try scene.terminal.screen { $0.last == "> peac" }.last == "> peac")
        try scene.terminal.press("Enter")
        #expect(try scene.other.hear() == "from: client1: peac")
        try scene.terminal.press("Up")
        #expect(try scene.terminal.screen { $0.last == "> peac" }.last == "> peac")
        try scene.terminal.type("e")
        try scene.terminal.press("Enter")
        #expect(try scene.other.hear() == "from: client1: peace")
    }

    @Test("Another size of the terminal leaves one line to type in, and nothing behind")
    func resizing() throws {
        let scene = try scene()
        let text = "0123456789abcdefghijklmnopqrstu"
        try scene.terminal.type(text)
        _ = try scene.terminal.screen { $0.last == "> " + text }
        try scene.terminal.resize(columns: 20, rows: 12)
        let narrow = try scene.terminal.screen { $0.last == "> efghijklmnopqrstu" }
        #expect(narrow.filter { $0.hasPrefix(">") } == ["> efghijklmnopqrstu"], "\(narrow)")
        try scene.other.say("hi")
        #expect(
            try scene.terminal.screen { $0.contains("from: client2: hi") }.suffix(2)
                == ["from: client2: hi", "> efghijklmnopqrstu"])
        try scene.terminal.resize(columns: 60, rows: 12)
        let wide = try scene.terminal.screen { $0.last == "> " + text }
        #expect(wide.filter { $0.hasPrefix(">") } == ["> " + text], "\(wide)")
        try scene.terminal.press("Enter")
        #expect(try scene.other.hear() == "from: client1: " + text)
    }

    @Test("exit and Ctrl-D end it and leave the terminal as it was", arguments: ["exit", "C-d"])
    func ending(how: String) throws {
        let scene = try scene()
        _ = try scene.terminal.screen { $0.last == ">" }
        if how == "exit" {
            try scene.terminal.type(how)
            try scene.terminal.press("Enter")
        } else {
            try scene.terminal.press(how)
        }
        let rows = try scene.terminal.screen { $0.contains("ended") }
        #expect(rows.suffix(2) == [" echo", "ended"], "\(rows)")
        #expect(scene.server.waits(for: 1, of: "client left name=client1"))
    }

    @Test("A server that goes away is told, and the terminal is as it was")
    func lostConnection() throws {
        let scene = try scene()
        try scene.terminal.type("unsent")
        _ = try scene.terminal.screen { $0.last == "> unsent" }
        scene.server.child.send(SIGKILL)
        let rows = try scene.terminal.screen { $0.contains("ended") }
        #expect(rows.contains { $0.hasPrefix("chat_client: the connection is lost") }, "\(rows)")
        #expect(rows.suffix(2) == [" echo", "ended"], "\(rows)")
    }
}
