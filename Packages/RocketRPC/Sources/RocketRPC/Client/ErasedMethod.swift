public import RocketBase

/// What all calls of one method have in common: its name, and how its messages become bytes and come
/// back. Any thread.
///
/// The closures are made where the types of the messages are known, and compiled for them, down to
/// the bytes; nothing else on a call's way knows them.
@usableFromInline
final class ErasedMethod: Sendable {
    /// Appends the serialized request.
    @usableFromInline
    typealias Encode = @Sendable (AnyObject, inout ByteBuffer) throws(RPCError) -> Void
    /// Takes the response out of a reply's payload.
    @usableFromInline
    typealias Decode = @Sendable (AnyObject, RawSpan) throws(RPCError) -> Void

    /// `package.Service.method`, as it stands on the wire.
    let methodName: [UInt8]
    let encode: Encode
    let decode: Decode

    /// - Parameters:
    ///   - encode: and the others: are given the call's messages.
    @usableFromInline
    init(
        methodName: [UInt8], encode: @escaping Encode, decode: @escaping Decode
    ) {
        self.methodName = methodName
        self.encode = encode
        self.decode = decode
    }

    /// The name, for the time of the closure.
    @inline(__always)
    func withName<Result>(_ body: (RawSpan) -> Result) -> Result {
        // SAFETY: the span can't leave the closure, and the array is never changed.
        unsafe methodName.withUnsafeBytes { unsafe body(RawSpan(_unsafeBytes: $0)) }
    }
}
