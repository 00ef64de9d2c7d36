public import RocketBase
import RocketSystem
public import SwiftProtobuf

// SAFETY: as its `outgoing`: the caller's or the channel's loop's, never both.

/// The messages of one call. Used again for later calls of its method, see `CallShelf`.
///
/// It holds no optional and no other generic type: in code that is not compiled for one message
/// type, each use of such a one asks the runtime for it anew, which cost a fifth of a call.
@usableFromInline
final class UnaryCall<Request: Message & Sendable, Response: Message & Sendable>:
    CallBody, @unchecked Sendable
{
    @usableFromInline let outgoing: OutgoingCall
    @exclusivity(unchecked) @usableFromInline var request: Request
    /// Empty until the reply is there.
    @exclusivity(unchecked) @usableFromInline var response = Response()
    private let requestCoding: RPCMessageCoding<Request>
    private let responseCoding: RPCMessageCoding<Response>

    @usableFromInline
    init(_ method: RPCMethod<Request, Response>, _ request: Request) {
        outgoing = OutgoingCall(methodName: method.fullNameBytes)
        unsafe self.request = request
        requestCoding = method.request
        responseCoding = method.response
    }

    /// One that was used before, if there is one.
    @inlinable
    static func reused(
        _ method: RPCMethod<Request, Response>, _ request: Request
    ) -> UnaryCall {
        guard let spare = method.shelf.take() else { return UnaryCall(method, request) }
        // SAFETY: the shelf belongs to the method, whose types are the same wherever it is copied.
        let call = unsafe unsafeDowncast(spare, to: UnaryCall.self)
        unsafe call.request = request
        return call
    }

    /// The response; the object is kept for a later call of its method.
    @inlinable
    func takeResponse(_ method: RPCMethod<Request, Response>) -> Response {
        var result = Response()
        unsafe swap(&result, &response)
        if outgoing.reset() { method.shelf.give(self) }
        return result
    }

    @usableFromInline
    func encode(into buffer: inout ByteBuffer) throws(RPCError) {
        do {
            try unsafe requestCoding.append(request, to: &buffer)
        } catch {
            throw RPCError(.failedSerialize, "the request can't be serialized", cause: error)
        }
    }

    @usableFromInline
    func decode(_ payload: RawSpan) throws(RPCError) {
        do {
            unsafe response = try responseCoding.message(from: payload)
        } catch {
            throw RPCError(
                .failedDeserialize, "the reply is no \(Response.protoMessageName)", cause: error)
        }
    }

    @usableFromInline
    func ended(_ error: RPCError?) { unsafe request = Request() }
}
