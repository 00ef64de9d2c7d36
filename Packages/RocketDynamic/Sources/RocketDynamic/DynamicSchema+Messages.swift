import CRocketProtobuf

extension DynamicSchema {
    /// How a message is written as JSON.
    public struct JSONOptions: Hashable, Sendable {
        /// Several lines, indented, in place of one. Default false.
        public var isPretty = false
        /// Whether fields without presence are written when they have their defaults. Default false.
        public var includesDefaults = false
        /// Whether names are lowerCamelCase in place of those of the .proto file. Default false.
        public var usesJSONNames = false

        /// The defaults.
        public init() {}
    }

    /// Encodes JSON, in protobuf's format, as a message.
    ///
    /// Fields have their names of the .proto file or in lowerCamelCase. Unknown fields, a name twice
    /// in an object, and whatever else is no strict JSON are refused.
    ///
    /// - Parameter message: the full name of the type.
    /// - Throws: `DynamicMessageError` with the path of the field and what was expected there.
    public func encode(
        json: String, as message: String
    ) throws(DynamicMessageError) -> [UInt8] {
        let limit = max(0, min(limits.messageBytes, 1 << 30))
        if json.utf8.count > limit.multipliedReportingOverflow(by: 8).partialValue {
            throw DynamicMessageError("the JSON is too long for a message of \(limit) bytes")
        }
        do throws(JSONSyntaxError) { try JSONScanner.check(json) } catch {
            throw DynamicMessageError("\(error)")
        }
        var json = json
        let result = unsafe withPointer { pointer in
            json.withUTF8 { utf8 in
                // SAFETY: the text is read before the closure returns.
                unsafe utf8.withMemoryRebound(to: CChar.self) {
                    unsafe rocket_protobuf_encode(pointer, message, $0.baseAddress, $0.count, limit)
                }
            }
        }
        do throws(DynamicMessageError) { return unsafe try Self.bytes(of: result) } catch {
            throw explained(error, of: message)
        }
    }

    /// Writes an encoded message as JSON, in protobuf's format: fields by their numbers and maps by
    /// their keys, so that equal messages have equal JSON. Fields that the schema does not know are
    /// left out.
    ///
    /// - Parameter message: the full name of the type.
    /// - Throws: `DynamicMessageError` for bytes that are no such message, and for a message in
    ///   `google.protobuf.Any` whose type the schema does not have.
    public func decode(
        _ bytes: [UInt8], as message: String, options: JSONOptions = .init()
    ) throws(DynamicMessageError) -> String {
        if bytes.count > limits.messageBytes {
            throw DynamicMessageError(
                "the message has \(bytes.count) bytes; the limit is \(limits.messageBytes)")
        }
        var flags: Int32 = 0
        if options.isPretty { flags |= Int32(ROCKET_PROTOBUF_PRETTY) }
        if options.includesDefaults { flags |= Int32(ROCKET_PROTOBUF_DEFAULTS) }
        if options.usesJSONNames { flags |= Int32(ROCKET_PROTOBUF_JSON_NAMES) }
        let result = unsafe withPointer { pointer in
            // SAFETY: the bytes are read before the closure returns.
            unsafe bytes.withUnsafeBytes {
                unsafe rocket_protobuf_decode(pointer, message, $0.baseAddress, $0.count, flags)
            }
        }
        let json = String(decoding: unsafe try Self.bytes(of: result), as: UTF8.self)
        return json.hasSuffix("\n") ? String(json.dropLast()) : json
    }

    /// Takes over what a conversion has made.
    @unsafe private static func bytes(
        of result: rocket_protobuf_result
    ) throws(DynamicMessageError) -> [UInt8] {
        let error = unsafe CProtobufBytes(result.error)
        if let bytes = unsafe CProtobufBytes(result.bytes) { return bytes.bytes }
        if let error { throw DynamicMessageError(error.text) }
        throw DynamicMessageError("there is no memory for the message")
    }

    /// Says what was expected, in place of libprotobuf's text.
    private func explained(
        _ error: DynamicMessageError, of message: String
    ) -> DynamicMessageError {
        ConversionText(error.message).explained(
            type: { path in
                unsafe self.withPointer { pointer in
                    var isEnum: Int32 = 0
                    let type = unsafe CProtobufBytes(
                        rocket_protobuf_type_at(pointer, message, path, &isEnum))?.text
                    return type.map { ($0, isEnum != 0) }
                }
            },
            names: { self.names(of: $0) })
    }
}

/// Why JSON is no message, or bytes are none.
public struct DynamicMessageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The field, such as `items[2].price`; empty: the whole message.
    public let path: String
    /// What is wrong with it, and what was expected.
    public let message: String

    init(_ message: String, path: String = "") {
        self.path = path
        self.message = message
    }

    /// `items[2].price: expected int32, found "five"`.
    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
