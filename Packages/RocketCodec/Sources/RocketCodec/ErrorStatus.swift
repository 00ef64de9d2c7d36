public import RocketBase

/// google.rpc.Status: the pb_data of an error reply that has typed details or trailing metadata. See
/// docs/wire-format.md, "Details of errors".
///
/// Trailing metadata is a field of its own (number 1000, a metadata block), which other readers of
/// google.rpc.Status skip.
public struct ErrorStatus: Hashable, Sendable {
    /// Longest payload that is sent or read, in bytes.
    public static let limitBytes = MetadataBlock.announcedLimitBytes

    /// gRPC's status code, such as `RPCErrorCode.grpcStatus`. The code on TinyPB is err_code.
    public var code: Int32
    /// The text of the error.
    public var message: String
    /// The typed details of the error.
    public var details: [RPCErrorDetail]
    /// The trailing metadata of the reply.
    public var trailingMetadata: Metadata

    /// Creates a status.
    public init(
        code: Int32, message: String, details: [RPCErrorDetail] = [],
        trailingMetadata: Metadata = [:]
    ) {
        self.code = code
        self.message = message
        self.details = details
        self.trailingMetadata = trailingMetadata
    }

    /// Appends the serialized status.
    ///
    /// - Parameter limitBytes: longest allowed length, in bytes.
    /// - Throws: `MetadataError` if it is longer, or a key of the metadata is invalid; the buffer is
    ///   unchanged then.
    public func write(
        to buffer: inout ByteBuffer, limitBytes: Int = Self.limitBytes
    ) throws(MetadataError) {
        var block = ByteBuffer()
        try MetadataBlock.write(trailingMetadata, to: &block, limitBytes: limitBytes)
        let start = buffer.readableBytes
        if code != 0 {
            Self.append(Field.code << 3, &buffer)
            Self.append(UInt64(bitPattern: Int64(code)), &buffer)
        }
        if !message.isEmpty { Self.append(Field.message, [UInt8](message.utf8), &buffer) }
        for detail in details {
            var any = ByteBuffer()
            if !detail.typeURL.isEmpty {
                Self.append(Field.typeURL, [UInt8](detail.typeURL.utf8), &any)
            }
            if !detail.value.isEmpty { Self.append(Field.value, detail.value, &any) }
            Self.append(Field.details, any.copyBytes(), &buffer)
        }
        if !block.isEmpty { Self.append(Field.trailingMetadata, block.copyBytes(), &buffer) }
        let count = buffer.readableBytes - start
        if count > limitBytes {
            buffer.truncate(to: start)
            throw .tooLarge(bytes: count, limit: limitBytes)
        }
    }

    /// Reads a serialized status; fields that are not known are skipped.
    ///
    /// - Returns: nil for bytes that are not one, and for more than `limitBytes`.
    public static func read(_ bytes: RawSpan) -> ErrorStatus? {
        guard bytes.byteCount <= limitBytes else { return nil }
        var fields = ProtobufFields(0..<bytes.byteCount)
        var status = ErrorStatus(code: 0, message: "")
        while let field = fields.next(in: bytes) {
            switch (field.number, field.value) {
            case (Field.code, .number(let number)): status.code = Int32(truncatingIfNeeded: number)
            case (Field.message, .bytes(let range)):
                guard let text = text(bytes, range) else { return nil }
                status.message = text
            case (Field.details, .bytes(let range)):
                guard let detail = detail(bytes, range) else { return nil }
                status.details.append(detail)
            case (Field.trailingMetadata, .bytes(let range)):
                guard let metadata = MetadataBlock.read(bytes.extracting(range)) else { return nil }
                status.trailingMetadata = metadata
            // As protobuf demands, a known number with another type of value is an unknown field.
            default: break
            }
        }
        return fields.isAtEnd ? status : nil
    }

    /// Reads a google.protobuf.Any.
    private static func detail(_ bytes: RawSpan, _ range: Range<Int>) -> RPCErrorDetail? {
        var fields = ProtobufFields(range)
        var (typeURL, value) = ("", [UInt8]())
        while let field = fields.next(in: bytes) {
            switch (field.number, field.value) {
            case (Field.typeURL, .bytes(let range)):
                guard let text = text(bytes, range) else { return nil }
                typeURL = text
            case (Field.value, .bytes(let range)): value = copy(bytes, range)
            default: break
            }
        }
        return fields.isAtEnd ? RPCErrorDetail(typeURL: typeURL, value: value) : nil
    }

    private static func text(_ bytes: RawSpan, _ range: Range<Int>) -> String? {
        String(validating: copy(bytes, range), as: UTF8.self)
    }

    private static func copy(_ bytes: RawSpan, _ range: Range<Int>) -> [UInt8] {
        // SAFETY: the pointer does not escape the closure.
        unsafe bytes.extracting(range).withUnsafeBytes { unsafe [UInt8]($0) }
    }

    private static func append(_ field: UInt64, _ bytes: [UInt8], _ buffer: inout ByteBuffer) {
        append(field << 3 | 2, &buffer)
        append(UInt64(bytes.count), &buffer)
        buffer.append(bytes)
    }

    private static func append(_ varint: UInt64, _ buffer: inout ByteBuffer) {
        var rest = varint
        while rest >= 0x80 {
            buffer.append(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.append(byte: UInt8(truncatingIfNeeded: rest))
    }

    /// The numbers of the fields.
    private enum Field {
        static let code: UInt64 = 1
        static let message: UInt64 = 2
        static let details: UInt64 = 3
        static let trailingMetadata: UInt64 = 1000
        // Of google.protobuf.Any:
        static let typeURL: UInt64 = 1
        static let value: UInt64 = 2
    }
}
