import Foundation
import RocketBase
public import RocketRPC
public import SwiftProtobuf

/// A program that makes one call: `NAME HOST PORT [JSON]`. The request is JSON in protobuf's format,
/// by default an empty message. The response is printed as one line of JSON.
public enum TestClient {
    /// Makes the call and ends the process: with status 0 after a response, or with status 1 and one
    /// line on standard error after an error.
    public static func run<Request: Message, Response: Message>(
        _ method: RPCMethod<Request, Response>
    ) async -> Never {
        let path = CommandLine.arguments.first ?? method.name
        let name = URL(fileURLWithPath: path).lastPathComponent
        Program.start(name: name, checksArguments: true)
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            if arguments.contains(where: { ["-h", "--help"].contains($0) }) {
                StandardOutput.write(line: help(name, method))
                Program.end(name: name)
            }
            StandardOutput.write(line: try await call(method, arguments))
            Program.end(name: name)
        } catch {
            let text = TerminalText.safe("\(error)")
            StandardError.write(line: "\(name): \(text)")
            exit(1)
        }
    }

    static func help<Request: Message, Response>(
        _ name: String, _ method: RPCMethod<Request, Response>
    ) -> String {
        """
        OVERVIEW: Calls \(method.fullName) once and prints the response as JSON.

        USAGE: \(name) HOST PORT [JSON]

        JSON is the request, a \(Request.protoMessageName) (default: {}).
        """
    }

    /// Makes the call that the arguments describe and returns the response as JSON.
    static func call<Request: Message, Response: Message>(
        _ method: RPCMethod<Request, Response>, _ arguments: [String]
    ) async throws -> String {
        guard (2...3).contains(arguments.count), let port = UInt16(arguments[1]), port > 0 else {
            throw ProgramFailure("the arguments are HOST PORT [JSON], with a port from 1 to 65535")
        }
        let request: Request = try message(arguments.count == 3 ? arguments[2] : "{}")
        let host = arguments[0].contains(":") ? "[\(arguments[0])]" : arguments[0]
        let channel = try RPCChannel(to: "\(host):\(port)", config: RocketConfig())
        return try json(await channel.call(method, request))
    }

    static func message<M: Message>(_ text: String) throws(ProgramFailure) -> M {
        do { return try M(jsonString: text) } catch {
            throw ProgramFailure("'\(text)' is no \(M.protoMessageName): \(error)")
        }
    }

    private static func json(_ message: some Message) throws(ProgramFailure) -> String {
        do {
            var options = JSONEncodingOptions()
            options.preserveProtoFieldNames = true
            return TerminalText.safeJSON(try message.jsonString(options: options))
        } catch { throw ProgramFailure("the response can't be written as JSON: \(error)") }
    }
}
