import RocketProgram

/// Where a chat client shows what happens. Bound to the client's loop.
protocol ChatView: AnyObject {
    /// What the server sent.
    func show(message: [UInt8])
    /// Word of the program itself.
    func show(notice: String)
}

/// For scripts: each message is one line on standard output, the program's own words go to
/// standard error. Nothing that a peer sends can begin a line of its own.
final class LineScreen: ChatView {
    func show(message: [UInt8]) {
        StandardOutput.write(line: TerminalText.safe(String(decoding: message, as: UTF8.self)))
    }

    func show(notice: String) {
        StandardError.write(line: "chat_client: \(TerminalText.safe(notice))")
    }
}
