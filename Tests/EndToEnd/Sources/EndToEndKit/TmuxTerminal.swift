import Foundation

/// A program in a real terminal, by tmux: the test types keys and reads the screen.
public final class TmuxTerminal: Sendable {
    private let socket: String
    /// Has the socket, by which the server of tmux is ended.
    private let workspace: Workspace

    /// Whether tmux is installed.
    public static var isInstalled: Bool {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/tmux")
    }

    /// Opens a terminal of this size and runs a shell command in it.
    public init(_ command: String, columns: Int, rows: Int, in workspace: Workspace) throws {
        self.workspace = workspace
        socket = workspace.path + "/tmux"
        try tmux([
            "-u", "-f", "/dev/null", "new-session", "-d", "-x", "\(columns)", "-y", "\(rows)",
            command + "; stty -a | grep -o ' echo ' ; echo ended; cat",
        ])
    }

    deinit { _ = try? tmux(["kill-server"]) }

    /// Types literal text.
    public func type(_ text: String) throws { try tmux(["send-keys", "-l", text]) }

    /// Presses keys by their names in tmux: Enter, BSpace, Left, Home, C-d.
    public func press(_ keys: String...) throws { try tmux(["send-keys"] + keys) }

    /// Changes the size of the terminal.
    public func resize(columns: Int, rows: Int) throws {
        try tmux(["resize-window", "-x", "\(columns)", "-y", "\(rows)"])
    }

    /// Returns the rows of the screen, without the empty ones at the end.
    public func screen() throws -> [String] {
        let text = try tmux(["capture-pane", "-p"])
        var rows = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            String($0.replacing(#/\s+$/#, with: ""))
        }
        while rows.last?.isEmpty == true { rows.removeLast() }
        return rows
    }

    /// Returns the column and row of the cursor, from 0.
    public func cursor() throws -> [Int] {
        try tmux(["display-message", "-p", "#{cursor_x} #{cursor_y}"])
            .split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    }

    /// Waits until the screen satisfies the condition, for five minutes at most, and returns it.
    public func screen(when isExpected: ([String]) -> Bool) throws -> [String] {
        let deadline = Date().addingTimeInterval(300)
        var rows = try screen()
        while !isExpected(rows), Date() < deadline { rows = try screen() }
        return rows
    }

    /// Closes inherited descriptors, since tmux leaves a daemon behind: as long as the daemon held
    /// the pipes of its parent, `Process` would not see the exit of that parent.
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
        let result = try ChildProcess(
            "/bin/bash", ["-c", Self.launcher, "bash", "-S", socket] + arguments,
            environment: ["LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "NO_COLOR": "1"]
        ).finish()
        if result.status != 0 { throw TmuxFailure(result: result) }
        return result.output
    }
}

/// tmux failed.
public struct TmuxFailure: Error {
    /// Its exit status and output.
    public let result: ProcessResult
}
