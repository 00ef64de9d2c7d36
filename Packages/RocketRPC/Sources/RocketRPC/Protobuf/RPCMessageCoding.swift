public import RocketBase
public import SwiftProtobuf

/// How the messages of one type become bytes and come back: in place, by code that is compiled
/// for just this message type.
///
/// Generated code makes one for each message of a method, beside the message: only there can the
/// compiler see the message's fields and specialise the two calls.
public struct _RPCMessageCoding<M: Message & Sendable>: Sendable {
    @usableFromInline let decode: (@Sendable (inout M, inout _ProtobufReader) throws -> Void)?
    @usableFromInline let encode: (@Sendable (M, inout _ProtobufWriter) throws -> Void)?

    /// - Parameters:
    ///   - decode: calls the message's `decodeMessage`.
    ///   - encode: calls the message's `traverse`.
    @inlinable
    public init(
        decode: @escaping @Sendable (inout M, inout _ProtobufReader) throws -> Void,
        encode: @escaping @Sendable (M, inout _ProtobufWriter) throws -> Void
    ) {
        self.decode = decode
        self.encode = encode
    }

    /// Leaves both to swift-protobuf.
    public init() {
        decode = nil
        encode = nil
    }

    /// The message that `bytes` are.
    ///
    /// - Throws: what swift-protobuf throws for bytes that are none.
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

    /// Appends the message's bytes; on an error nothing has been appended.
    ///
    /// - Throws: what swift-protobuf throws for a message that lacks required fields.
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
