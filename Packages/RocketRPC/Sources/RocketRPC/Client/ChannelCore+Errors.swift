import RocketBase
import RocketCodec

// Error replies.

extension ChannelCore {
    /// Ends a call with the error of a reply.
    ///
    /// - Parameter payload: a `ErrorStatus`, or nothing, or whatever a server sends. If it can't be
    ///   read, the error is the same without details, and a log line says so.
    func failed(_ call: OutgoingCall, _ code: RPCErrorCode, _ text: String, _ payload: RawSpan) {
        if payload.byteCount == 0 { return call.fail(RPCError(code, text), byReply: true) }
        guard let status = ErrorStatus.read(payload) else {
            context.logger.throttled(.warn, "error status")?.warn(
                "the details of an error can't be read"
            ) {
                $0.add("target", context.target)
                $0.add("code", code.name)
                $0.add("bytes", "\(payload.byteCount)")
            }
            return call.fail(RPCError(code, text), byReply: true)
        }
        call.fail(
            RPCError(code, text, details: status.details),
            trailingMetadata: status.trailingMetadata, byReply: true)
    }
}
