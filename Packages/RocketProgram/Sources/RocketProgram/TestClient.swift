import RocketBase
public import RocketRPC
import RocketSystem
public import SwiftProtobuf

/// A program that makes one call of a service: `NAME METHOD HOST PORT [JSON]`. The request is JSON in
/// protobuf's format, by default an empty message. The response is printed as one line of JSON.
public enum TestClient {
    /// The subcommand of one method, with the method's name in the .proto file.
    public struct Command: Sendable {
        let fullName: String
        /// Name of the method: `makeOrder`.
        let name: String
        /// Full name of the request on the wire: `shop.Want`.
        let request: String
        /// Makes the call with JSON over a channel and returns the response as JSON.
        let call: @Sendable (_ json: String, RPCChannel) async throws -> String

        /// Creates the subcommand of a method.
        public init<Request: Message, Response: Message>(_ method: RPCMethod<Request, Response>) {
            fullName = method.fullName
            name = method.name
            request = Request.protoMessageName
            call = { text, channel in
                let request: Request = try TestClient.message(text)
                return try TestClient.json(await channel.call(method, request))
            }
        }
    }

    /// Makes the call that the process's arguments describe and ends the process: with status 0 after
    /// a response, or with `ExitStatus(of:)` of the error and one line on standard error.
    public static func run(_ commands: [Command]) async -> Never {
        let path = CommandLine.arguments.first ?? ""
        let name = FileSystem.name(of: path)
        Program.start(name: name, checksArguments: true)
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            if arguments.contains(where: { ["-h", "--help"].contains($0) }) {
                StandardOutput.write(line: help(name, commands))
                Program.end(name: name)
            }
            StandardOutput.write(line: try await call(commands, arguments))
            Program.end(name: name)
        } catch {
            let text = TerminalText.safe("\(error)")
            StandardError.write(line: "\(name): \(text)")
            CurrentProcess.exit(ExitStatus(of: error).rawValue)
        }
    }

    static func help(_ name: String, _ commands: [Command]) -> String {
        """
        OVERVIEW: Calls a method once and prints the response as JSON.

        USAGE: \(name) METHOD HOST PORT [JSON] [--tls] [--tls-ca FILE] [--tls-cert FILE]
               [--tls-key FILE] [--tls-name NAME] [--tls-fingerprint HEX]

        JSON is the request (default: {}). Methods and their requests:
        \(commands.map { "  \($0.name)  \($0.fullName), a \($0.request)" }.joined(separator: "\n"))

        TLS: --tls turns it on, and so does each of the others: the authorities whose
        certificates the server may have (default: those of the system), a certificate of
        this client and its key, the name that the server's certificate must be valid for
        (default: HOST), or the SHA-256 of that certificate in place of authorities and name.

        \(HelpSections(exitStatuses: HelpSections.clientStatuses).text)
        """
    }

    /// Makes the call that the arguments describe and returns the response as JSON.
    static func call(_ commands: [Command], _ arguments: [String]) async throws -> String {
        let (tls, arguments) = try TLSOptions.split(arguments)
        guard let name = arguments.first, (3...4).contains(arguments.count),
            let port = UInt16(arguments[2]), port > 0
        else {
            throw ProgramFailure(
                "the arguments are METHOD HOST PORT [JSON], with a port from 1 to 65535",
                status: .usage)
        }
        guard let command = commands.first(where: { $0.name == name }) else {
            let names = commands.map(\.name).joined(separator: ", ")
            throw ProgramFailure(
                "there is no method '\(name)'; the methods are \(names)", status: .usage)
        }
        let host = arguments[1].contains(":") ? "[\(arguments[1])]" : arguments[1]
        var target = try ServerTarget(address: "\(host):\(port)")
        target.tls = tls.settings
        let channel = try await target.channel(lookingUpWithin: .seconds(2))
        return try await command.call(arguments.count == 4 ? arguments[3] : "{}", channel)
    }

    static func message<M: Message>(_ text: String) throws(ProgramFailure) -> M {
        do { return try M(jsonString: text) } catch {
            throw ProgramFailure(
                "'\(text)' is no \(M.protoMessageName): \(error)", status: .dataError)
        }
    }

    private static func json(_ message: some Message) throws(ProgramFailure) -> String {
        do {
            var options = JSONEncodingOptions()
            options.preserveProtoFieldNames = true
            return TerminalText.safeJSON(try message.jsonString(options: options))
        } catch {
            throw ProgramFailure(
                "the response can't be written as JSON: \(error)", status: .protocolError)
        }
    }
}
