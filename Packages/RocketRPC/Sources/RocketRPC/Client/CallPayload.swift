public import RocketBase
public import SwiftProtobuf

// SAFETY: as its call: the caller's or the channel's loop's, never both.

/// The two messages of a call.
@usableFromInline
final class CallPayload<Request: Message & Sendable, Response: Message & Sendable>:
    @unchecked Sendable
{
    // SAFETY: read and written in one piece, with nothing else inside an access.
    @exclusivity(unchecked) @usableFromInline var request: Request
    /// Empty until the reply is there.
    @exclusivity(unchecked) @usableFromInline var response = Response()

    @inlinable
    init(_ request: Request) { unsafe self.request = request }

    /// Those of a call of a method with these types.
    @inlinable @inline(__always)
    static func of(_ messages: AnyObject) -> CallPayload {
        // SAFETY: a call's messages are those of its kind, and a kind has one pair of types.
        unsafe unsafeDowncast(messages, to: CallPayload.self)
    }

    /// What is left needs no memory.
    @inlinable
    func takeResponse() -> Response {
        unsafe request = Request()
        var result = Response()
        unsafe swap(&result, &response)
        return result
    }
}

extension ErasedMethod {
    /// Of a method with these messages. Compiled for them, where its caller knows them.
    @inlinable
    convenience init<Request, Response>(
        methodName: [UInt8], _ request: _RPCMessageCoding<Request>,
        _ response: _RPCMessageCoding<Response>
    ) {
        typealias Messages = CallPayload<Request, Response>
        self.init(
            methodName: methodName,
            encode: { (messages, buffer) throws(RPCError) in
                do {
                    try unsafe request.append(Messages.of(messages).request, to: &buffer)
                } catch {
                    throw RPCError(
                        .failedSerialize, "the request can't be serialized", cause: error)
                }
            },
            decode: { (messages, payload) throws(RPCError) in
                do {
                    unsafe Messages.of(messages).response = try response.message(from: payload)
                } catch {
                    throw RPCError(
                        .failedDeserialize, "the reply is no \(Response.protoMessageName)",
                        cause: error)
                }
            })
    }
}

extension RPCMethod {
    /// A call object with that request: one that was used before, if there is one.
    @inlinable
    func call(_ request: Request) -> OutgoingCall {
        guard let call = shelf.take() else {
            return OutgoingCall(kind, CallPayload<Request, Response>(request))
        }
        unsafe CallPayload<Request, Response>.of(call.messages).request = request
        return call
    }

    /// The response of a call that has none any more, and may be used again.
    @inlinable
    func response(of call: OutgoingCall) -> Response {
        let response = CallPayload<Request, Response>.of(call.messages).takeResponse()
        if call.reset() { shelf.give(call) }
        return response
    }
}
