import RocketBase
import RocketRPC
import RocketTCP
import Tracing

/// What a span tells of a call, by OpenTelemetry's conventions for RPC. A namespace.
enum CallAttributes {
    /// Returns what is known when a call begins: of an outgoing one that is not yet, where it is sent.
    static func beginning(of call: RPCController) -> SpanAttributes {
        var attributes = SpanAttributes()
        let method = call.method
        let dot = method.lastIndex(of: ".") ?? method.startIndex
        let wire = call.wire ?? ""
        attributes["rpc.system"] = wire == "gRPC" ? "grpc" : "rocket"
        attributes["rpc.service"] = String(method[..<dot])
        attributes["rpc.method"] = String(method[dot...].dropFirst())
        let messageID = call.messageID
        if !messageID.isEmpty { attributes["rpc.rocket.msg_id"] = messageID }
        let peer = call.peerAddress
        let server = call.isOutgoing ? peer : call.localAddress
        if let server {
            attributes["server.address"] = server.host
            attributes["server.port"] = server.port.map(Int64.init)
        }
        if let peer {
            attributes["network.peer.address"] = peer.host
            attributes["network.peer.port"] = peer.port.map(Int64.init)
            attributes["network.transport"] = peer.isUnix ? "unix" : "tcp"
        }
        return attributes
    }

    /// Adds what is known when a call has ended, and the status.
    static func end(_ span: any Span, of call: RPCController, _ code: RPCErrorCode) {
        var attributes = span.attributes
        if call.isOutgoing {
            attributes.merge(beginning(of: call))
            if call.attempts > 1 { attributes["rpc.rocket.attempts"] = Int64(call.attempts) }
        }
        attributes["rpc.grpc.status_code"] = Int64(code.grpcStatus)
        attributes["rpc.rocket.code"] = Int64(code.rawValue)
        if code.rawValue != 0 { attributes["error.type"] = code.name }
        span.attributes = attributes
        guard isFailure(code, isOutgoing: call.isOutgoing) else { return }
        span.setStatus(SpanStatus(code: .error, message: code.name))
    }

    /// Whether a code is a failure of the side whose span it is: on a server one that its caller has
    /// caused is not.
    private static func isFailure(_ code: RPCErrorCode, isOutgoing: Bool) -> Bool {
        if isOutgoing { return code.rawValue != 0 }
        return switch code.grpcStatus {
        // UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS
        case 2, 4, 12, 13, 14, 15: true
        default: false
        }
    }
}
