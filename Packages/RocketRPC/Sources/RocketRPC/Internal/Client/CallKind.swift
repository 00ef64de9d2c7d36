public import RocketBase

/// What all calls of one method have in common: its name, and how its messages become bytes and come
/// back. Any thread.
///
/// The closures are made where the types of the messages are known, and compiled for them, down to
/// the bytes; nothing else on a call's way knows them.
@usableFromInline
final class CallKind: Sendable {
    /// Appends the serialized request.
    @usableFromInline
    typealias Encode = @Sendable (AnyObject, inout ByteBuffer) throws(RPCError) -> Void
    /// Takes the response out of a reply's payload.
    @usableFromInline
    typealias Decode = @Sendable (AnyObject, RawSpan) throws(RPCError) -> Void
    /// The call is over: its request is not needed any more.
    @usableFromInline
    typealias End = @Sendable (AnyObject, RPCError?) -> Void

    /// `package.Service.method`, as it stands on the wire.
    let methodName: [UInt8]
    let encode: Encode
    let decode: Decode
    let ended: End

    /// - Parameters:
    ///   - encode: and the others: are given the call's messages.
    @usableFromInline
    init(
        methodName: [UInt8], encode: @escaping Encode, decode: @escaping Decode,
        ended: @escaping End
    ) {
        self.methodName = methodName
        self.encode = encode
        self.decode = decode
        self.ended = ended
    }
}
