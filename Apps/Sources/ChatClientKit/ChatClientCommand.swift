public import ArgumentParser
import RocketProgram
import RocketReactor
import RocketSystem
import RocketTCP

/// `chat_client` as it is typed.
public struct ChatClientCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "chat_client",
        abstract: "Talks in a chat: of chat_server, or of LibeventMiniChat.",
        discussion: """
            EXAMPLES:
              Talk in the chat of this machine; exit or Ctrl-D ends it:
                chat_client
              Talk elsewhere, and come back whenever the connection is lost:
                chat_client chat.example.org 9999 --reconnect
              Say one thing from a script:
                echo "backup is done" | chat_client 192.0.2.7

            Where standard input is no terminal, each of its lines is one message, and the end \
            of the input ends the program. What arrives is printed, one line for each message. \
            Ends with status 0, or with status 1 and one line on standard error.
            """,
        version: "chat_client \(RocketVersion.current)")

    @Argument(help: "The server's name or address.")
    var host = "127.0.0.1"

    @Argument(help: "The server's port.")
    var port: UInt16 = 9999

    @Flag(help: "Connect again, with growing pauses, when the connection is lost or refused.")
    var reconnect = false

    @Option(help: "How long connecting may take: 500ms, 2s. (default: 2s)")
    var timeout: DurationArgument?

    @Option(help: "The longest line that is sent, in bytes: what the server takes.")
    var maxMessageBytes = 65_536

    /// As the parser makes it.
    public init() {}

    /// Refuses what can't be.
    public func validate() throws {
        guard (1...16_777_216).contains(maxMessageBytes) else {
            throw ValidationError("--max-message-bytes is 1 to 16777216")
        }
    }

    /// Does what was typed; `ProgramFailure` tells what went wrong.
    public func run() async throws {
        let failure: String?
        do {
            let resolver = try NameResolver()
            defer { resolver.shutdown() }
            let thread = try IOThread(name: "chat-client")
            let settings = ChatClientController.Settings(
                target: target(resolver), connectTimeout: timeout?.duration ?? .seconds(2),
                reconnects: reconnect, maxMessageBytes: maxMessageBytes)
            failure = await ChatClientProgram.run(settings, on: thread.loop)
            thread.stop()
            await thread.ended()
        } catch { throw ProgramFailure("\(error)") }
        if let failure { throw ProgramFailure(failure) }
    }

    private func target(_ resolver: NameResolver) -> PersistentConnection.Target {
        for text in ["\(host):\(port)", "[\(host)]:\(port)"] {
            if let address = try? NetAddress(parsing: text) { return .addresses([address]) }
        }
        return .host(HostPort(host: host, port: port), resolver)
    }
}
