import RocketBase
import RocketBinaryLog
import RocketCodec
import RocketDynamic
import RocketProgram
import RocketRPC

/// How the reply of a call compares with the recorded one. A value.
enum ReplayOutcome: Hashable, Sendable {
    case equal
    case different([FieldDifference])
    /// The server has not answered, or its answer is no such message.
    case failed(String)

    /// - Parameters:
    ///   - reply: what the server has answered with.
    ///   - ignored: fields that are not compared, beside those that are masked.
    init(
        of call: LoggedCall, _ method: DynamicMethod, _ schema: DynamicSchema,
        reply: Result<[UInt8], RPCError>, ignoring ignored: [FieldPath]
    ) {
        switch reply {
        case .failure(let error):
            if call.hasEnded(with: error.code) {
                self = .equal
            } else if CallReport.status(of: error) != .failure {
                self = .failed(CallReport.text(of: error))
            } else {
                self = .different([
                    FieldDifference(
                        path: "status", recorded: call.statusText,
                        now: CallReport.text(of: error))
                ])
            }
        case .success(let bytes):
            guard call.status == 0 else {
                self = .different([
                    FieldDifference(path: "status", recorded: call.statusText, now: "OK")
                ])
                return
            }
            // One that was too large to be recorded has nothing that could differ.
            guard let response = call.response, response.isWhole, response.bytes != bytes else {
                self = .equal
                return
            }
            self = Self.compare(
                response.bytes, bytes, method.response, schema, ignored + call.masked)
        }
    }

    private static func compare(
        _ recorded: [UInt8], _ now: [UInt8], _ type: String, _ schema: DynamicSchema,
        _ ignored: [FieldPath]
    ) -> ReplayOutcome {
        var options = DynamicSchema.JSONOptions()
        options.includesDefaults = true
        func tree(_ bytes: [UInt8], _ name: String) -> Result<JSONTree, ReplayFailure> {
            do {
                return .success(
                    try JSONTree(json: schema.decode(bytes, as: type, options: options)))
            } catch { return .failure(ReplayFailure(text: "\(name) is no \(type): \(error)")) }
        }
        do throws(ReplayFailure) {
            let found = try tree(recorded, "the recorded reply").get()
                .differences(from: tree(now, "the reply").get(), ignoring: ignored)
            return found.isEmpty ? .equal : .different(found)
        } catch { return .failed(error.text) }
    }
}

/// Why two replies can't be compared.
private struct ReplayFailure: Error {
    let text: String
}

extension LoggedCall {
    /// The code with which it ended; nil: the log has gRPC's only.
    private var exactCode: RPCErrorCode? {
        trailingMetadata.first { $0.key == "rocket-code" }
            .flatMap { Int32(String(decoding: $0.value, as: UTF8.self)) }
            .map(RPCErrorCode.init(rawValue:))
    }

    /// Whether it ended with that error.
    func hasEnded(with code: RPCErrorCode) -> Bool {
        exactCode.map { $0 == code } ?? (status == code.grpcStatus)
    }

    /// `OK`, `NOT_FOUND: there is no order 7`.
    var statusText: String {
        if status == 0 { return "OK" }
        let code = exactCode ?? RPCErrorCode(grpcStatus: status)
        return "\(CallReport.name(of: code)): \(statusMessage)"
    }

    /// The metadata with which it is made again.
    func metadata(and more: RPCMetadata) -> RPCMetadata {
        var all = RPCMetadata()
        for entry in metadata where RPCMetadata.isValid(key: entry.key) && more[entry.key] == nil {
            if entry.key.hasSuffix("-bin") {
                all.add(bytes: entry.value, for: entry.key)
            } else if let text = String(validating: entry.value, as: UTF8.self) {
                all.add(text, for: entry.key)
            }
        }
        for entry in more.entries { all.add(entry.value, for: entry.key) }
        return all
    }
}
