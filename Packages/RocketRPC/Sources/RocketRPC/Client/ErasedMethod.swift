public import RocketBase
import RocketSystem
public import SwiftProtobuf

/// What all calls of one method share: its name, and how its messages are encoded and decoded. Any
/// thread.
///
/// The closures are created where the types of the messages are known, and compiled for them; no
/// other code on the way of a call knows the types.
@usableFromInline
final class ErasedMethod: Sendable {
    /// Appends the serialized request of a `CallPayload`.
    @usableFromInline
    typealias Encode = @Sendable (AnyObject, inout ByteBuffer) throws(RPCError) -> Void
    /// Stores the response that a reply carries in a `CallPayload`.
    @usableFromInline
    typealias Decode = @Sendable (AnyObject, RawSpan) throws(RPCError) -> Void

    /// `package.Service.method`, as on the wire.
    let methodName: [UInt8]
    /// By which a channel finds its policy.
    let nameHash: UInt64
    let encode: Encode
    let decode: Decode

    /// - Parameters:
    ///   - encode: like `decode`, is passed the call's payload.
    @usableFromInline
    init(
        methodName: [UInt8], encode: @escaping Encode, decode: @escaping Decode
    ) {
        self.methodName = methodName
        // SAFETY: the array lives, unchanged, until the hash is made.
        nameHash = byteHash(unsafe methodName.span.bytes)
        self.encode = encode
        self.decode = decode
    }

    /// For a method with these messages. Compiled for them where the caller knows their types.
    @inlinable
    convenience init<Request, Response>(
        methodName: [UInt8], _ kind: RPCMethodKind, _ request: _RPCMessageCoding<Request>,
        _ response: _RPCMessageCoding<Response>
    ) {
        typealias Payload = CallPayload<Request, Response>
        if kind != .unary {
            self.init(streaming: methodName, kind, request, response)
            return
        }
        self.init(
            methodName: methodName,
            encode: { (payload, buffer) throws(RPCError) in
                do {
                    try unsafe request.append(Payload.of(payload).request, to: &buffer)
                } catch {
                    throw RPCError(
                        .failedSerialize, "the request cannot be serialized", cause: error)
                }
            },
            decode: { (payload, bytes) throws(RPCError) in
                do {
                    try unsafe response.decode(bytes, into: &Payload.of(payload).response)
                } catch {
                    throw RPCError(
                        .failedDeserialize,
                        "the reply is not a valid \(Response.protoMessageName)", cause: error)
                }
            })
    }

    /// For a streaming method: its opening frame contains the only request, or none; its last one
    /// the only response, or none.
    @usableFromInline
    convenience init<Request, Response>(
        streaming methodName: [UInt8], _ kind: RPCMethodKind,
        _ request: _RPCMessageCoding<Request>, _ response: _RPCMessageCoding<Response>
    ) {
        typealias Payload = CallPayload<Request, Response>
        self.init(
            methodName: methodName,
            encode: { (payload, buffer) throws(RPCError) in
                if kind.hasRequestStream { return }
                do {
                    try unsafe request.append(Payload.of(payload).request, to: &buffer)
                } catch {
                    throw RPCError(
                        .failedSerialize, "the request cannot be serialized", cause: error)
                }
            },
            decode: { (payload, bytes) throws(RPCError) in
                if kind.hasResponseStream {
                    if bytes.byteCount == 0 { return }
                    throw RPCError(
                        .methodNotFound, "the server does not answer the call by a stream")
                }
                do {
                    unsafe Payload.of(payload).response = try response.message(from: bytes)
                } catch {
                    throw RPCError(
                        .failedDeserialize,
                        "the reply is not a valid \(Response.protoMessageName)", cause: error)
                }
            })
    }

    /// Calls `body` with the name; the span is valid inside it only.
    @inline(__always)
    func withName<Result>(_ body: (RawSpan) -> Result) -> Result {
        // SAFETY: the span can't leave the closure, and the array is never changed.
        unsafe methodName.withUnsafeBytes { unsafe body(RawSpan(_unsafeBytes: $0)) }
    }
}

// SAFETY: used like the call it belongs to: by its caller or by the channel's loop, never by both.

/// The request and the response of a call.
@usableFromInline
final class CallPayload<Request: Message & Sendable, Response: Message & Sendable>:
    @unchecked Sendable
{
    // SAFETY: read and written in one piece, with nothing else inside an access.
    @exclusivity(unchecked) @usableFromInline var request: Request
    /// Empty until the reply has arrived.
    @exclusivity(unchecked) @usableFromInline var response = Response()

    @inlinable
    init(_ request: Request) { unsafe self.request = request }

    /// The payload of a call of a method with these types.
    @inlinable @inline(__always)
    static func of(_ payload: AnyObject) -> CallPayload {
        // SAFETY: a call has the payload of its method, and a method has one pair of types.
        unsafe unsafeDowncast(payload, to: CallPayload.self)
    }

    /// The response of a streaming call that has ended.
    var received: Response { unsafe response }

    /// Returns the response. Both messages are empty afterwards and hold no memory.
    @inlinable
    func takeResponse() -> Response {
        unsafe request = Request()
        var result = Response()
        unsafe swap(&result, &response)
        return result
    }
}

/// Call objects of one method that can be used again, so that a call in steady state allocates
/// nothing. Any thread.
@usableFromInline
final class CallPool: Sendable {
    /// The most objects that are kept, beside those of a batch; what a burst leaves beyond that is
    /// freed. At the same time the most calls of a batch.
    static let capacity = 1024

    private struct Kept {
        var calls = ContiguousArray<OutgoingCall>()
        /// The objects of the last batch: the next one takes them together.
        var batch = ContiguousArray<OutgoingCall>()

        mutating func add(_ call: OutgoingCall) {
            if calls.count < CallPool.capacity { calls.append(call) }
        }
    }

    private let kept = Locked(Kept())

    @usableFromInline
    init() {}

    @usableFromInline
    func take() -> OutgoingCall? { kept.withLock { $0.calls.popLast() } }

    @usableFromInline
    func add(_ call: OutgoingCall) { kept.withLock { $0.add(call) } }

    /// Takes as many objects as there are, `count` at most.
    @usableFromInline
    func take(_ count: Int) -> ContiguousArray<OutgoingCall> {
        var taken = ContiguousArray<OutgoingCall>()
        kept.withLock { kept in
            swap(&taken, &kept.batch)
            while taken.count > count, let call = taken.popLast() { kept.add(call) }
            while taken.count < count, let call = kept.calls.popLast() { taken.append(call) }
        }
        return taken
    }

    /// Adds the objects of a batch. All can be used again.
    @usableFromInline
    func add(_ batch: ContiguousArray<OutgoingCall>) {
        kept.withLock { kept in
            if kept.batch.isEmpty {
                kept.batch = batch
            } else {
                for call in batch { kept.add(call) }
            }
        }
    }
}

extension RPCMethod {
    /// A call object with that request: one from the pool where there is one.
    @inlinable
    func call(_ request: Request) -> OutgoingCall {
        guard let call = callPool.take() else {
            return OutgoingCall(erased, CallPayload<Request, Response>(request))
        }
        unsafe CallPayload<Request, Response>.of(call.payload).request = request
        return call
    }

    /// Takes the response out of a call, and returns the object to the pool where it can be used
    /// again.
    @inlinable
    func response(of call: OutgoingCall) -> Response {
        let response = CallPayload<Request, Response>.of(call.payload).takeResponse()
        if call.reset() { callPool.add(call) }
        return response
    }

    /// A call object for each request, those of the pool first.
    @inlinable
    func calls(_ requests: ArraySlice<Request>) -> ContiguousArray<OutgoingCall> {
        typealias Payload = CallPayload<Request, Response>
        var calls = callPool.take(requests.count)
        let reused = calls.count
        for (call, request) in zip(calls, requests) {
            unsafe Payload.of(call.payload).request = request
        }
        for request in requests.dropFirst(reused) {
            calls.append(OutgoingCall(erased, Payload(request)))
        }
        return calls
    }

    /// Appends the responses of calls that have ended, or their errors, and returns the objects to
    /// the pool that can be used again.
    ///
    /// - Parameter check: throws the error of a call that has failed.
    @inlinable
    func takeResults(
        of calls: ContiguousArray<OutgoingCall>, into results: inout [Result<Response, RPCError>],
        _ check: (OutgoingCall) throws(RPCError) -> Void
    ) {
        var areReset = true
        for call in calls {
            do throws(RPCError) {
                try check(call)
                let payload = CallPayload<Request, Response>.of(call.payload)
                results.append(.success(payload.takeResponse()))
            } catch {
                results.append(.failure(error))
            }
            areReset = call.reset() && areReset
        }
        callPool.add(areReset ? calls : ContiguousArray(calls.lazy.filter { $0.reset() }))
    }
}
