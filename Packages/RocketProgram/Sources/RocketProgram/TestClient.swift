import RocketBase
public import RocketRPC
import RocketSystem
import RocketTCP
public import SwiftProtobuf

/// A program that makes one call of a service: `NAME METHOD HOST PORT [JSON]`, or `NAME METHOD SERVER
/// [JSON]` with an address or a name that `ServerTarget(address:)` takes. The request is JSON in
/// protobuf's format, by default an empty message. Each response is printed as one line of JSON. A
/// method with a stream of requests takes several JSON arguments or, without any, the lines of
/// standard input, each of which is sent when it is read.
public enum TestClient {
    /// The subcommand of one method, with the method's name in the .proto file.
    public struct Command: Sendable {
        let fullName: String
        /// Name of the method: `makeOrder`.
        let name: String
        /// Full name of the request on the wire: `shop.Want`.
        let request: String
        let kind: RPCMethodKind
        /// Makes the call over a channel.
        let call:
            @Sendable (_ requests: Requests, RPCController, RPCChannel, _ output: Output)
                async throws -> Void

        /// Creates the subcommand of a method of any kind.
        public init<Request: Message, Response: Message>(_ method: RPCMethod<Request, Response>) {
            fullName = method.fullName
            name = method.name
            request = Request.protoMessageName
            kind = method.kind
            call = { requests, controller, channel, output in
                if method.kind.streamsRequests {
                    return try await TestClient.exchange(
                        method, requests, controller, channel, output)
                }
                let request: Request = try TestClient.message(requests.first)
                guard method.kind == .serverStreaming else {
                    let response = try await channel.call(method, request, controller)
                    return _ = output(try TestClient.json(response))
                }
                for try await response in try await channel.serverStream(
                    method, request, controller)
                {
                    guard output(try TestClient.json(response)) else { return }
                }
            }
        }
    }

    /// Prints a line; returns false if nobody reads it.
    typealias Output = @Sendable (String) -> Bool

    /// The requests of a call as JSON.
    struct Requests: Sendable {
        /// The arguments of the command line.
        var arguments: [String]
        /// Where a stream of requests is read from if there are no arguments.
        var lines = InputLines()

        /// The request of a method with one request.
        var first: String { arguments.first ?? "{}" }
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
            try await call(commands, arguments) { StandardOutput.isWritten($0 + "\n") }
            Program.end(name: name)
        } catch {
            let text = TerminalText.safe("\(error)")
            StandardError.write(line: "\(name): \(text)")
            CurrentProcess.exit(ExitStatus(of: error).rawValue)
        }
    }

    static func help(_ name: String, _ commands: [Command]) -> String {
        """
        OVERVIEW: Calls a method once and prints each response as a line of JSON.

        USAGE: \(name) METHOD HOST PORT|SERVER [JSON] [--grpc] [--metadata KEY=VALUE]…
               [--timeout DURATION] [--tls] [--tls-ca FILE] [--tls-cert FILE]
               [--tls-key FILE] [--tls-name NAME] [--tls-fingerprint HEX]

        \(requestHelp(commands))
        \(commands.map { "  \($0.name)  \($0.fullName), \($0.requestHelp)" }.joined(separator: "\n"))

        SERVER is an address or a name such as unix:/run/orders.sock, dns:///orders.svc:80,
        srv:_rocket._tcp.orders.svc, list:HOST:PORT,…, file:PATH, etcd:///rocket/orders.

        --grpc calls by gRPC in place of TinyPB. --metadata sends an entry of metadata with the
        call, and may be repeated; values of keys that end in -bin are base64. --timeout (500ms,
        2s) is the longest that connecting and the call may take; default: 2s, and none for a
        call that streams.

        TLS: --tls turns it on, and so does each of the others: the authorities whose
        certificates the server may have (default: those of the system), a certificate of
        this client and its key, the name that the server's certificate must be valid for
        (default: HOST), or the SHA-256 of that certificate in place of authorities and name.

        \(HelpSections(exitStatuses: HelpSections.clientStatuses).text)
        """
    }

    private static func requestHelp(_ commands: [Command]) -> String {
        guard commands.contains(where: { $0.kind.streamsRequests }) else {
            return "JSON is the request (default: {}). Methods and their requests:"
        }
        return """
            JSON is the request (default: {}). A stream of requests is several JSON arguments or, without
            any, the lines of standard input, each sent as soon as it is read; the stream ends with the
            input. Methods and their requests:
            """
    }

    /// Makes the call that the arguments describe.
    ///
    /// - Parameter output: gets each response as JSON.
    static func call(
        _ commands: [Command], _ arguments: [String], output: @escaping Output
    ) async throws {
        let (options, arguments) = try TestClientOptions.split(arguments)
        guard let name = arguments.first, arguments.count >= 2 else { throw usage() }
        let (server, count) = try Self.server(arguments)
        guard let command = commands.first(where: { $0.name == name }) else {
            let names = commands.map(\.name).joined(separator: ", ")
            throw ProgramFailure(
                "there is no method '\(name)'; the methods are \(names)", status: .usage)
        }
        if arguments.count > count + 1, !command.kind.streamsRequests { throw usage() }
        var target = try ServerTarget(address: server)
        target.tls = options.tls.settings
        target.configuration.connectTimeout = options.connectTimeout
        if options.grpc { target.configuration.protocol = ProgramWires.channel }
        let requests = Requests(arguments: Array(arguments.dropFirst(count)))
        try await command.call(requests, options.controller, target.channel(), output)
    }

    /// The server of the arguments, and how many of them precede the requests.
    private static func server(
        _ arguments: [String]
    ) throws(ProgramFailure) -> (server: String, count: Int) {
        let host = arguments[1]
        let isIPv6 = (try? NetAddress(parsing: "[\(host)]:1")) != nil
        if !isIPv6, host.contains(where: { ":/".contains($0) }) { return (host, 2) }
        guard arguments.count > 2, let port = UInt16(arguments[2]), port > 0 else { throw usage() }
        return (isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)", 3)
    }

    private static func usage() -> ProgramFailure {
        ProgramFailure(
            "the arguments are METHOD HOST PORT [JSON], with a port from 1 to 65535, or METHOD SERVER "
                + "[JSON]; only a stream of requests takes more than one JSON", status: .usage)
    }

    static func message<M: Message>(_ text: String) throws(ProgramFailure) -> M {
        do { return try M(jsonString: text) } catch {
            throw ProgramFailure(
                "'\(text)' is no \(M.protoMessageName): \(error)", status: .dataError)
        }
    }

    static func json(_ message: some Message) throws(ProgramFailure) -> String {
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

extension TestClient.Command {
    /// The request in the help.
    fileprivate var requestHelp: String {
        let text = kind.streamsRequests ? "a stream of \(request)" : "a \(request)"
        let streamsResponses = kind == .serverStreaming || kind == .bidirectionalStreaming
        return text + (streamsResponses ? "; returns a stream" : "")
    }
}
