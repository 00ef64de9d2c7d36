public import RocketBase
public import RocketCodec
public import SwiftProtobuf

/// Encodes and decodes the messages of one type in place, with code that is specialized for this
/// message type.
///
/// Only generated code creates one, for each message type of a method and in the module of the
/// message type: only there the compiler can access the message's fields to specialize the calls.
public struct _RPCMessageCoding<M: Message & Sendable>: Sendable {
    @usableFromInline let decode: (@Sendable (inout M, inout _ProtobufReader) throws -> Void)?
    @usableFromInline let encode: (@Sendable (M, inout _ProtobufWriter) throws -> Void)?
    @usableFromInline let setError: (@Sendable (inout M, BusinessError) -> Void)?

    /// Creates a coding from compiled code.
    ///
    /// - Parameters:
    ///   - decode: calls the message's `decodeMessage`.
    ///   - encode: calls the message's `traverse`.
    ///   - setError: stores a refusal in the message's `ret_code` and `res_info`; nil for a message
    ///     without these fields.
    @inlinable
    public init(
        decode: @escaping @Sendable (inout M, inout _ProtobufReader) throws -> Void,
        encode: @escaping @Sendable (M, inout _ProtobufWriter) throws -> Void,
        setError: (@Sendable (inout M, BusinessError) -> Void)? = nil
    ) {
        self.decode = decode
        self.encode = encode
        self.setError = setError
    }

    /// Creates a coding that uses swift-protobuf's own encoder and decoder, and that cannot store
    /// a refusal in a message.
    public init() {
        decode = nil
        encode = nil
        setError = nil
    }

    /// Returns a response that contains `error` in its `ret_code` and `res_info`; nil if the
    /// message has no such fields, or has other `required` fields (proto2).
    func message(for error: BusinessError) -> M? {
        guard let setError else { return nil }
        var message = M()
        setError(&message, error)
        return message.isInitialized ? message : nil
    }

    /// Decodes a message from `bytes`.
    ///
    /// - Throws: the error of swift-protobuf's decoder if `bytes` is not a valid message.
    @inlinable @inline(__always)
    public func message(from bytes: RawSpan) throws -> M {
        var message = M()
        try decode(bytes, into: &message)
        return message
    }

    /// Decodes a message from `bytes` in place.
    ///
    /// - Parameter message: empty; undefined after an error.
    /// - Throws: as above.
    @inlinable @inline(__always)
    func decode(_ bytes: RawSpan, into message: inout M) throws {
        guard let decode, bytes.byteCount > 0 else {
            message = try M(serializedBytes: bytes)
            return
        }
        do {
            // SAFETY: the reader does not escape the closure.
            try unsafe bytes.withUnsafeBytes { bytes throws in
                guard let start = bytes.baseAddress else { return }
                var reader = unsafe _ProtobufReader(bytes, start)
                try reader.readWhole(&message, decode)
            }
            if message.isInitialized { return }
        } catch is _ProtobufFallback {}
        message = try M(serializedBytes: bytes)
    }

    /// Appends the encoded message to `buffer`; on an error `buffer` is unchanged.
    ///
    /// - Throws: the error of swift-protobuf's encoder if required fields are not set.
    @inlinable @inline(__always)
    public func append(_ message: M, to buffer: inout ByteBuffer) throws {
        try append(message, to: &buffer, nil)
    }

    /// The same, without the long fields: `longFields` takes them.
    @inlinable @inline(__always)
    func append(
        _ message: M, to buffer: inout ByteBuffer,
        _ longFields: LongFields?
    ) throws {
        let before = buffer.readableBytes
        do {
            guard let encode, message.isInitialized else { throw _ProtobufFallback() }
            // SAFETY: the writer does not escape the closure.
            try unsafe withUnsafeMutablePointer(to: &buffer) { buffer throws in
                var writer = unsafe _ProtobufWriter(buffer, longFields)
                try encode(message, &writer)
                writer.commit()
            }
        } catch is _ProtobufFallback {
            longFields?.removeAll()
            buffer.truncate(to: before)
            buffer.append(try message.serializedBytes() as [UInt8])
        }
    }
}

extension RPCMetadata {
    /// No metadata. Generated clients use this default: `[:]` would need an import of RocketCodec
    /// in each generated file.
    @inlinable public static var empty: RPCMetadata { RPCMetadata() }
}
