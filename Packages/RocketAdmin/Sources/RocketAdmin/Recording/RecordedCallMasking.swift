import RocketBase
import RocketBinaryLog
import RocketCodec
@_spi(Recording) import RocketRPC
import RocketSystem
import RocketTCP

/// Makes calls of a binary log out of recorded ones, without what is masked. A value.
struct RecordedCallMasking: Sendable {
    let masker: MessageMasker
    let maskedKeys: Set<String>

    /// What keys of metadata contain whose values are secrets.
    private static let secretWords = [
        "auth", "cookie", "token", "secret", "passw", "credential", "session", "api-key",
        "api_key", "apikey", "signature",
    ]

    /// Returns the call, and how many of its messages could not be masked, and are left out.
    func logged(_ call: RPCRecordedCall, id: UInt64) -> (call: LoggedCall, omitted: Int) {
        var omitted = 0
        func message(_ message: RPCRecordedCall.Message) -> LoggedCall.Message {
            let masked = message.bytes.flatMap { masker.masked($0, of: message.type) }
            if message.bytes != nil, masked == nil { omitted += 1 }
            return .init(bytes: masked, length: masked?.count ?? message.length)
        }
        var result = LoggedCall(id: id, method: call.method)
        result.peer = LoggedCall.Peer(call.peer)
        result.metadata = entries(call.metadata)
        result.timeout = call.timeout
        result.request = message(call.request)
        result.response = call.response.map(message)
        result.replyMetadata = entries(call.replyMetadata)
        result.trailingMetadata = entries(call.trailingMetadata)
        result.status = call.code.grpcStatus
        result.statusMessage = call.message
        if RPCErrorCode(grpcStatus: result.status) != call.code {
            result.trailingMetadata.append(
                .init("rocket-code", Array("\(call.code.rawValue)".utf8)))
        }
        result.beganAt = call.beganAt
        result.endedAt = call.endedAt
        result.masked = masker.masks
        return (result, omitted)
    }

    private func entries(_ metadata: RPCMetadata) -> [LoggedCall.Metadata] {
        metadata.entries.compactMap { entry in
            if isMasked(entry.key) { return nil }
            let bytes = entry.isBinary ? entry.bytes : nil
            return .init(entry.key, bytes ?? Array(entry.value.utf8))
        }
    }

    /// Whether the value of a key is left out, with its key. Those of gRPC and of the log itself are,
    /// too.
    func isMasked(_ key: String) -> Bool {
        if maskedKeys.contains(key) || key == LoggedCall.maskedKey { return true }
        if key.hasPrefix("grpc-"), key != "grpc-trace-bin" { return true }
        if key == "user-agent" || key == "te" || key == "content-encoding" { return true }
        return Self.secretWords.contains { key.contains($0) }
    }
}

extension LoggedCall.Peer {
    init?(_ address: NetAddress) {
        switch address.unmapped.socketAddress {
        case .ipv4(_, let port): self = .ipv4(address.unmapped.host, port: port)
        case .ipv6(_, _, let port, _): self = .ipv6(address.unmapped.host, port: port)
        case .unix(let path): self = .unix(path)
        case .abstract(let name): self = .unix("@\(name)")
        case .unnamed: self = .unix("")
        }
    }
}
