public import RocketBase
public import RocketCodec
public import SwiftProtobuf

/// Encodes and decodes the messages of one type in place, by code that is compiled for this
/// message type alone.
///
/// Only generated code makes one, for each message of a method and in the message's module: only
/// there can the compiler see the message's fields and specialise the calls.
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

    /// Returns the response that carries `error` in its `ret_code` and `res_info`; nil where the
    /// message has no such fields, or needs others to be encoded (`required` in proto2).
    func message(for error: BusinessError) -> M? {
        guard let setError else { return nil }
        var message = M()
        setError(&message, error)
        return message.isInitialized ? message : nil
    }

    /// Decodes a message from `bytes`.
    ///
    /// - Throws: the error of swift-protobuf's decoder where `bytes` are no valid message.
    @inlinable
    public func message(from bytes: RawSpan) throws -> M {
        guard let decode, bytes.byteCount > 0 else { return try M(serializedBytes: bytes) }
        do {
            var message = M()
            // SAFETY: the reader does not leave the closure.
            try unsafe bytes.withUnsafeBytes { bytes throws in
                guard let start = bytes.baseAddress else { return }
                var reader = unsafe _ProtobufReader(bytes, start)
                try reader.readWhole(&message, decode)
            }
            if message.isInitialized { return message }
        } catch is _ProtobufFallback {}
        return try M(serializedBytes: bytes)
    }

    /// Appends the encoded message to `buffer`; on an error `buffer` is unchanged.
    ///
    /// - Throws: the error of swift-protobuf's encoder where required fields are not set.
    @inlinable
    public func append(_ message: M, to buffer: inout ByteBuffer) throws {
        let before = buffer.readableBytes
        do {
            guard let encode, message.isInitialized else { throw _ProtobufFallback() }
            // SAFETY: the writer does not leave the closure.
            try unsafe withUnsafeMutablePointer(to: &buffer) { buffer throws in
                var writer = unsafe _ProtobufWriter(buffer)
                try encode(message, &writer)
                writer.commit()
            }
        } catch is _ProtobufFallback {
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
