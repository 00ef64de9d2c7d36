import RocketBase
import SwiftProtobuf

/// Makes messages of Protobuf of JSON, and back, by the mapping that Protobuf prescribes. The types are
/// known as metatypes only: a method costs nothing for it, and no code of its own.
enum JSONMessages {
    private static var decoding: JSONDecodingOptions {
        var options = JSONDecodingOptions()
        // As all implementations of Connect, and as in Protobuf: a client may be newer than the server.
        options.ignoreUnknownFields = true
        return options
    }

    /// Appends the message that `json` is.
    ///
    /// - Throws: INVALID_ARGUMENT with the name of the field, if `json` is no message of the type.
    static func append(
        _ json: [UInt8], of type: any Message.Type, to buffer: inout ByteBuffer
    ) throws(WireFailure) {
        let message = try decode(json, type)
        do {
            buffer.append(try message.serializedBytes() as [UInt8])
        } catch {
            let isIncomplete = error as? BinaryEncodingError == .missingRequiredFields
            throw WireFailure(
                .invalidArgument,
                "the request is no \(type.protoMessageName): "
                    + (isIncomplete
                        ? "a required field is missing"
                        : "a google.protobuf.Any has a type that the server does not know"))
        }
    }

    private static func decode<Decoded: Message>(
        _ json: [UInt8], _ type: Decoded.Type
    ) throws(WireFailure) -> any Message {
        do {
            return try Decoded(jsonUTF8Bytes: json, options: decoding)
        } catch {
            var text = "the request is no \(type.protoMessageName): "
            let field = JSONFieldFinder.invalidField(in: json) {
                (try? Decoded(jsonUTF8Bytes: $0, options: decoding)) != nil
            }
            if let field { text += "the field '\(field)': " }
            throw WireFailure(.invalidArgument, text + reason(error, in: json))
        }
    }

    /// Returns the JSON of a message.
    ///
    /// - Throws: INTERNAL if `bytes` are no message of the type, or it has no JSON: a google.protobuf.Any
    ///   with a type that the program does not know.
    static func json(
        _ bytes: RawSpan, of type: any Message.Type
    ) throws(WireFailure) -> [UInt8] {
        do {
            return try encode(bytes, type)
        } catch {
            throw WireFailure(
                .failedSerialize, "the response, a \(type.protoMessageName), has no JSON")
        }
    }

    private static func encode<Encoded: Message>(
        _ bytes: RawSpan, _ type: Encoded.Type
    ) throws -> [UInt8] {
        try Encoded(serializedBytes: bytes).jsonUTF8Bytes()
    }

    private static func reason(_ error: any Error, in json: [UInt8]) -> String {
        if String(validating: json, as: UTF8.self) == nil { return "invalid UTF-8" }
        return switch error as? JSONDecodingError {
        case .malformedNumber: "a number is invalid"
        case .numberRange: "a number is out of range, or no integer"
        case .malformedMap: "a map is invalid"
        case .malformedBool: "neither true nor false"
        case .malformedString: "a string is expected, or has an invalid escape"
        // SwiftProtobuf's error for a number with too many digits.
        case .invalidUTF8: "a number is too long"
        case .unrecognizedEnumValue: "there is no such value of the enum"
        case .illegalNull: "null is not allowed here"
        case .unquotedMapKey: "a key of a map is no string"
        case .leadingZero: "a number begins with 0"
        case .truncated: "the JSON ends too early"
        case .malformedDuration: "no duration, such as \"1.5s\""
        case .malformedTimestamp: "no time, such as \"2026-01-02T03:04:05Z\""
        case .malformedFieldMask: "the field mask is invalid"
        case .trailingGarbage: "there is something behind the JSON"
        case .conflictingOneOf: "more than one field of a oneof is set"
        case .messageDepthLimit: "messages are nested too deeply"
        default: "the JSON is invalid, or of another type"
        }
    }
}
