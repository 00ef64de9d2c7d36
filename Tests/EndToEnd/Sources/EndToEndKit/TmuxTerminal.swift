import Foundation

/// A real terminal with a program in it, by tmux: the test types, and sees the screen.
public final class TmuxTerminal: Sendable {
    private let socket: String

    /// Whether there is a tmux to be had.
    public static var isInstalled: Bool {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/tmux")
    }

    /// Opens a terminal of that size and runs a shell command in it.
    public init(_ command: String, columns: Int, rows: Int, in workspace: Workspace) throws {
        socket = workspace.path + "/tmux"
        try tmux([
            "-u", "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
            command + "; stty -a | grep -o ' echo ' ; echo ended; cat",
        ])
    }

    deinit { _ = try? tmux(["kill-server"]) }

    /// Types text as it is.
    public func type(_ text: String) throws { try tmux(["send-keys", "-l", text]) }

    /// Presses keys by tmux's names: Enter, BSpace, Left, Home, C-d.
    public func press(_ keys: String...) throws { try tmux(["send-keys"] + keys) }

    /// Gives the terminal another size.
    public func resize(columns: Int, rows: Int) throws {
        try tmux(["resize-window", "-x", "\(columns)", "-y", "\(rows)"])
    }

    /// The screen's rows as they are now, without the empty ones at the end.
    public func screen() throws -> [String] {
        let text = try tmux(["capture-pane", "-p"])
        var rows = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            String($0.replacing(#/\s+$/#, with: ""))
        }
        while rows.last?.isEmpty == true { rows.removeLast() }
        return rows
    }

    /// The column and row of the cursor, from 0.
    public func cursor() throws -> [Int] {
        try tmux(["display-message", "-p", "#{cursor_x} #{cursor_y}"])
            .split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    }

    /// The screen once it is as wanted, or as it is after a while.
    public func screen(when isWanted: ([String]) -> Bool) throws -> [String] {
        let deadline = Date().addingTimeInterval(20)
        var rows = try screen()
        while !isWanted(rows), Date() < deadline { rows = try screen() }
        return rows
    }

    /// tmux leaves a daemon behind, which must have nothing of the test's: as long as it held what
    /// `Process` gave its child, nobody would see that child's end.
    private static let launcher = """
        for entry in /proc/self/fd/*; do
            number=${entry##*/}
            [ "$number" -le 2 ] || eval "exec $number>&-"
        done
        case " $* " in *" new-session "*) exec >/dev/null 2>&1 ;; esac
        exec /usr/bin/tmux "$@"
        """

    @discardableResult
    private func tmux(_ arguments: [String]) throws -> String {
        let ending = try ChildProcess(
            "/bin/bash", ["-c", Self.launcher, "bash", "-S", socket] + arguments,
            environment: ["LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "NO_COLOR": "1"]
        ).finish()
        if ending.status != 0 { throw TmuxFailure(ending: ending) }
        return ending.output
    }
}

/// tmux did not do what it was asked.
public struct TmuxFailure: Error {
    /// What it said.
    public let ending: Ending
}
