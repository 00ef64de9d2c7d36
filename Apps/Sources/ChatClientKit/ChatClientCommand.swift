public import ArgumentParser
import RocketProgram
import RocketReactor
import RocketSystem
import RocketTCP

/// The command line of `chat_client`.
public struct ChatClientCommand: AsyncParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "chat_client",
        abstract: "Joins a chat of chat_server or LibeventMiniChat.",
        discussion: """
            EXAMPLES:
              Join the chat on this machine; type exit or Ctrl-D to leave:
                chat_client
              Join another server, and connect again whenever the connection is lost:
                chat_client chat.example.org 9999 --reconnect
              Send one message from a script, over the socket of the service:
                echo "backup is done" | chat_client unix:/run/chat_server.sock

            In a terminal, Ctrl-Z suspends the program, and pasted lines are one message, sent \
            by Enter. If standard input is not a terminal, each of its lines is sent as one \
            message, and the program exits at its end. Each message that arrives is printed on \
            one line. After a failure prints one line on standard error; it is also a failure if a \
            line of a script was too long or the server refused it.

            \(helpSections.text)
            """,
        version: "chat_client \(RocketVersion.current)")

    @Argument(help: "The name or address of the server, or unix:PATH.")
    var host = "127.0.0.1"

    @Argument(help: "The port of the server.")
    var port: UInt16 = 9999

    @Flag(help: "Connect again, after growing pauses, when the connection is lost or refused.")
    var reconnect = false

    @Option(help: "Time-out for connecting: 500ms, 2s. (default: 2s)")
    var timeout: DurationArgument?

    @OptionGroup(title: "TLS") var tls: TLSOptions

    @Option(help: "The longest line that is sent, in bytes; the limit of the server.")
    var maxMessageBytes = 65_536

    private static let helpSections = HelpSections(
        exitStatuses: [
            .dataError, .unavailable, .ioError, .temporaryFailure, .notPermitted, .configuration,
        ],
        environment: [("NO_COLOR", "No colours on a terminal, if it is not empty.")])

    /// Every option at its default, for the parser.
    public init() {}

    /// Refuses values out of range.
    public func validate() throws {
        guard (1...16_777_216).contains(maxMessageBytes) else {
            throw ValidationError("--max-message-bytes is 1 to 16777216")
        }
    }

    /// Runs the client until it ends.
    ///
    /// - Throws: `ProgramFailure`, with one line for standard error.
    public func run() async throws {
        let failure: ProgramFailure?
        do {
            let thread = try IOThread(name: "chat-client")
            var settings = ChatClientController.Settings(
                target: target, connectTimeout: timeout?.duration ?? .seconds(2),
                reconnects: reconnect, maxMessageBytes: maxMessageBytes)
            settings.security = try tls.security()
            failure = await ChatClientProgram.run(settings, on: thread.loop)
            thread.stop()
            await thread.ended()
        } catch { throw ProgramFailure(error) }
        if let failure { throw failure }
    }

    /// Returns the address that the arguments contain, or nil if `host` is a name.
    var address: NetAddress? {
        // The path of a Unix socket needs no port.
        let texts = host.hasPrefix("unix:") ? [host] : ["\(host):\(port)", "[\(host)]:\(port)"]
        return texts.lazy.compactMap { try? NetAddress(parsing: $0) }.first
    }

    private var target: PersistentConnection.Target {
        if let address { return .addresses([address]) }
        return .host(HostPort(host: host, port: port), ProgramNames.hosts)
    }
}
