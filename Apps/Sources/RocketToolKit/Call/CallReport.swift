import FoundationEssentials
import RocketBase
import RocketCodec
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem
import RocketTCP

/// What is printed on standard error about a call: errors, and details for `--verbose`. A value.
struct CallReport: Sendable {
    let method: DynamicMethod
    /// The address as it was given.
    let server: String
    let isGRPC: Bool
    /// Whether errors are JSON.
    let isJSON: Bool
    /// The schema with the types of details; nil: they are base64.
    var schema: DynamicSchema?

    /// The lines of `--verbose` before the call.
    func begins(metadata: RPCMetadata) -> [String] {
        ["> \(method.fullName) (\(method.kind)) at \(server) by \(isGRPC ? "gRPC" : "TinyPB")"]
            + metadata.entries.map { "> \($0.key): \($0.value)" }
    }

    /// The lines of `--verbose` after it.
    func ends(_ call: RPCController, since start: MonotonicTime) -> [String] {
        let time = SystemTimeSource().monotonic() - start
        let peers = call.attemptedPeers.map(\.description)
        let peer = call.peerAddress?.description ?? peers.last ?? "no server"
        let attempts = "\(call.attempts) \(call.attempts == 1 ? "attempt" : "attempts")"
        let others = peers.count > 1 ? " (\(peers.joined(separator: ", ")))" : ""
        return call.replyMetadata.entries.map { "< \($0.key): \($0.value)" }
            + call.trailingMetadata.entries.map { "< trailer \($0.key): \($0.value)" }
            + [
                "< \(peer), \(attempts)\(others), \(Self.milliseconds(time)), "
                    + "request \(call.requestBytes) bytes"
            ]
    }

    /// The line of an error, without the program's name if it is JSON.
    func line(of error: RPCError, _ call: RPCController) -> String {
        if isJSON { return TerminalText.safeJSON(json(of: error, call)) }
        var text = "rocket: \(Self.text(of: error))"
        if !error.details.isEmpty {
            text +=
                " [" + error.details.map { String($0.messageName) }.joined(separator: ", ") + "]"
        }
        return TerminalText.safe(text)
    }

    /// `NOT_FOUND: there is no order 7`.
    static func text(of error: RPCError) -> String {
        var text = "\(name(of: error.code)): \(error.message)"
        if let cause = error.cause { text += ": \(cause)" }
        return text
    }

    /// The status with which the program ends.
    func status(of error: RPCError) -> ExitStatus { Self.status(of: error) }

    /// 69 if the server can't be reached or has not answered in time, that of `ExitStatus(of:)` if
    /// the error is this side's own, 1 if the server has answered with the error.
    static func status(of error: RPCError) -> ExitStatus {
        switch error.code {
        case .peerClosed, .failedConnect, .failedGetReply, .callTimeout, .unavailable,
            .failedSerialize, .failedEncode, .failedDecode, .failedDeserialize, .peerAddress,
            .channelInit:
            ExitStatus(of: error)
        default: .failure
        }
    }

    /// `NOT_FOUND`; `error 7` for a code of an application.
    static func name(of code: RPCErrorCode) -> String {
        code.name == "\(code.rawValue)" ? "error \(code.rawValue)" : code.name
    }

    private func json(of error: RPCError, _ call: RPCController) -> String {
        var fields = [
            ("code", Self.quoted(error.code.name)), ("number", "\(error.code.rawValue)"),
            ("grpc_status", "\(error.code.grpcStatus)"), ("message", Self.quoted(error.message)),
            ("method", Self.quoted(method.fullName)), ("server", Self.quoted(server)),
            ("attempts", "\(call.attempts)"),
        ]
        if !error.details.isEmpty {
            let details = error.details.map { detail in
                let type = Self.quoted(detail.typeURL)
                let decoded = try? schemaText(detail)
                let value = decoded ?? Self.quoted(Data(detail.value).base64EncodedString())
                return #"{"@type":\#(type),"value":\#(value)}"#
            }
            fields.append(("details", "[\(details.joined(separator: ","))]"))
        }
        return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    private func schemaText(_ detail: RPCErrorDetail) throws -> String? {
        guard let schema, schema.hasMessage(named: String(detail.messageName)) else { return nil }
        return try schema.decode(detail.value, as: String(detail.messageName))
    }

    /// The text as a string of JSON.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func milliseconds(_ time: Duration) -> String {
        let microseconds = time / .microseconds(1)
        let rounded = Int(microseconds.rounded())
        let rest = String(rounded % 1000)
        return "\(rounded / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest) ms"
    }
}
