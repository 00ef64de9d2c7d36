import EndToEndKit
import Foundation
import Testing

/// chat_client in a terminal that gets signals, is stopped, continued, or pasted into.
struct ChatTerminalSignalTests {
    private struct Fixture {
        let server: ChatServerProcess
        let terminal: PseudoTerminal
        let client: ChildProcess
        let other: ChatConnection
    }

    /// A client in a terminal is client1, a plain socket client2.
    ///
    /// - Parameter launcher: a program and arguments that run the client, in its place.
    private func fixture(launcher: [String] = []) throws -> Fixture {
        let server = try ChatServerProcess(in: Workspace())
        let terminal = try PseudoTerminal()
        let command = launcher + [Programs.path("chat_client"), "127.0.0.1", "\(server.port)"]
        let client = try ChildProcess(
            command[0], Array(command.dropFirst()), environment: ["NO_COLOR": "1"],
            terminal: terminal.program)
        #expect(terminal.read(through: "connected").hasSuffix("connected"))
        #expect(!terminal.echoes)
        let other = try ChatConnection(port: server.port)
        #expect(server.waits(for: 2, of: "client joined"))
        return Fixture(server: server, terminal: terminal, client: client, other: other)
    }

    @Test(
        "A signal that ends the client restores the terminal first",
        arguments: [SIGTERM, SIGHUP, SIGQUIT, SIGINT])
    func ending(signal: Int32) throws {
        let fixture = try fixture()
        fixture.client.send(signal)
        let result = fixture.client.finish()
        #expect(result.wasKilled && result.status == signal, "\(result)")
        #expect(fixture.terminal.echoes)
        let marksNoPastes = "\u{1B}[?2004l"
        #expect(fixture.terminal.read(through: marksNoPastes).hasSuffix("\u{1B}[J" + marksNoPastes))
    }

    @Test("SIGTERM ends a client whose terminal takes no output")
    func stalledTerminal() throws {
        let fixture = try fixture()
        let text = String(repeating: "x", count: 60_000)
        // Until the server has noticed that the client does not read.
        for _ in 0..<2000 {
            for _ in 0..<10 { try fixture.other.send(text) }
            let lines = fixture.server.workspace.logLines()
            if lines.contains(where: { $0.contains("client reads too slowly") }) { break }
        }
        #expect(fixture.server.waits(for: 1, of: "client reads too slowly"))
        fixture.client.send(SIGTERM)
        let result = fixture.client.finish()
        #expect(result.wasKilled && result.status == SIGTERM, "\(result)")
        #expect(fixture.terminal.echoes)
    }

    @Test("SIGTSTP and SIGCONT leave the terminal and enter it again")
    func suspending() throws {
        let fixture = try fixture()
        fixture.terminal.type("half")
        #expect(fixture.terminal.read(through: "> half").hasSuffix("> half"))
        fixture.client.send(SIGTSTP)
        #expect(fixture.terminal.read(through: "\u{1B}[?2004l").hasSuffix("\u{1B}[J\u{1B}[?2004l"))
        // A SIGCONT that comes before the stop would be lost. Where no shell could continue the
        // client, it does not stop and enters the terminal by itself.
        let limit = Date().addingTimeInterval(300)
        while !fixture.terminal.echoes, Date() < limit {}
        while !fixture.client.isStopped, fixture.terminal.echoes, Date() < limit {}
        fixture.client.send(SIGCONT)
        let entered = "\u{1B}[?2004h> half"
        #expect(fixture.terminal.read(through: entered).hasSuffix(entered))
        #expect(!fixture.terminal.echoes)
        fixture.terminal.type(" a line\r")
        #expect(try fixture.other.receive() == "from: client1: half a line")
    }

    @Test("A new size during SIGTSTP does not keep a client without a shell out of the terminal")
    func resizedWhileSuspending() throws {
        // In a session of its own the client has no shell that could continue it: it does not stop.
        let fixture = try fixture(launcher: ["/bin/bash", "-c", "setsid \"$0\" \"$@\"; true"])
        let bash = fixture.client.id
        let children = try String(
            contentsOfFile: "/proc/\(bash)/task/\(bash)/children", encoding: .utf8)
        let client = try #require(Int32(children.split(separator: " ").first ?? ""))
        kill(client, SIGTSTP)
        kill(client, SIGWINCH)
        #expect(fixture.terminal.read(through: "\u{1B}[?2004l").hasSuffix("\u{1B}[?2004l"))
        #expect(fixture.terminal.read(through: "\u{1B}[?2004h> ").hasSuffix("\u{1B}[?2004h> "))
        #expect(!fixture.terminal.echoes)
        fixture.terminal.type("a line\r")
        #expect(try fixture.other.receive() == "from: client1: a line")
        kill(client, SIGTERM)
        #expect(fixture.client.finish().status == 0)
        #expect(fixture.terminal.echoes)
    }

    @Test("Pasted lines are one text, and sent by Enter only")
    func pasting() throws {
        let fixture = try fixture()
        fixture.terminal.type("\u{1B}[200~one\rtwo\n\u{1B}[201~")
        #expect(fixture.terminal.read(through: "> one\\ntwo\\n").hasSuffix("> one\\ntwo\\n"))
        fixture.terminal.type("three\r")
        #expect(try fixture.other.receive() == "from: client1: one\ntwo\nthree")
    }

    @Test(
        "Ctrl-Z returns to the shell; fg returns to the line, bg stops again until fg, kill ends it",
        .enabled(if: TmuxTerminal.isInstalled, "needs tmux"))
    func jobControl() throws {
        let server = try ChatServerProcess(in: Workspace())
        let terminal = try TmuxTerminal(
            "PS1='$ ' bash --norc --noprofile -b -i", columns: 60, rows: 40, in: server.workspace)
        _ = try terminal.screen { $0.last == "$" }
        try terminal.type("\(Programs.path("chat_client")) 127.0.0.1 \(server.port)")
        try terminal.press("Enter")
        let other = try ChatConnection(port: server.port)
        #expect(server.waits(for: 2, of: "client joined"))
        try terminal.type("half")
        _ = try terminal.screen { $0.last == "> half" }

        try terminal.press("C-z")
        let stopped = try terminal.screen { $0.last == "$" }
        #expect(stopped.filter { $0.contains("Stopped") }.count == 1, "\(stopped)")
        try terminal.type("stty -a | grep -o ' echo '")
        try terminal.press("Enter")
        #expect(try terminal.screen { $0.contains(" echo") }.contains(" echo"))

        try terminal.type("fg")
        try terminal.press("Enter")
        #expect(try terminal.screen { $0.last == "> half" }.last == "> half")
        try terminal.type(" a line")
        try terminal.press("Enter")
        #expect(try other.receive()?.hasSuffix(": half a line") == true)

        try terminal.press("C-z")
        _ = try terminal.screen { $0.filter { $0.contains("Stopped") }.count == 2 }
        try terminal.type("bg")
        try terminal.press("Enter")
        let again = try terminal.screen { $0.filter { $0.contains("Stopped") }.count == 3 }
        try terminal.press("Enter")
        #expect(again.filter { $0.contains("Stopped") }.count == 3, "\(again)")

        // Its read has failed in the background.
        try terminal.type("fg")
        try terminal.press("Enter")
        #expect(try terminal.screen { $0.last == ">" }.last == ">")
        try terminal.type("again")
        try terminal.press("Enter")
        #expect(try other.receive()?.hasSuffix(": again") == true)

        try terminal.press("C-z")
        let last = try terminal.screen { $0.filter { $0.contains("Stopped") }.count == 4 }
        #expect(last.filter { $0.contains("Stopped") }.count == 4, "\(last)")
        try terminal.type("kill %1")
        try terminal.press("Enter")
        #expect(server.waits(for: 1, of: "client left"))
        try terminal.press("Enter")
        let ended = try terminal.screen { $0.contains { $0.contains("Terminated") } }
        #expect(ended.contains { $0.contains("Terminated") }, "\(ended)")
    }
}
