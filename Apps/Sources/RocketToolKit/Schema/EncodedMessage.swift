import RocketDynamic
import RocketRPC
import SwiftProtobuf

/// A message of any type as its bytes: its fields are unknown ones, which swift-protobuf keeps in
/// their order. So a channel calls methods whose types are not compiled in.
struct EncodedMessage: SwiftProtobuf.Message, Hashable {
    /// For texts of errors.
    static let protoMessageName = "message"

    /// All fields.
    var unknownFields = UnknownStorage()

    init() {}

    /// - Throws: an error of swift-protobuf for bytes that are no fields.
    init(_ bytes: [UInt8]) throws { try self.init(serializedBytes: bytes) }

    /// The encoded message.
    var bytes: [UInt8] { (try? serializedBytes()) ?? [] }

    mutating func decodeMessage<D: Decoder>(decoder: inout D) throws {
        while try decoder.nextFieldNumber() != nil {}
    }

    func traverse<V: Visitor>(visitor: inout V) throws {
        try unknownFields.traverse(visitor: &visitor)
    }

    func isEqualTo(message: any SwiftProtobuf.Message) -> Bool {
        (message as? EncodedMessage)?.unknownFields == unknownFields
    }
}

/// A reply of which only matters that it is a message: its fields are checked and not kept.
struct SkippedMessage: SwiftProtobuf.Message, Hashable {
    /// For texts of errors.
    static let protoMessageName = "message"

    /// Only those that the reader of a channel leaves to swift-protobuf, such as groups.
    var unknownFields = UnknownStorage()

    mutating func decodeMessage<D: Decoder>(decoder: inout D) throws {
        while try decoder.nextFieldNumber() != nil {}
    }

    func traverse<V: Visitor>(visitor: inout V) throws {
        try unknownFields.traverse(visitor: &visitor)
    }

    func isEqualTo(message: any SwiftProtobuf.Message) -> Bool {
        (message as? SkippedMessage)?.unknownFields == unknownFields
    }
}

extension DynamicMethod {
    /// How many messages it takes and returns.
    var kind: RPCMethodKind {
        switch (streamsRequests, streamsResponses) {
        case (false, false): .unary
        case (true, false): .clientStreaming
        case (false, true): .serverStreaming
        case (true, true): .bidirectionalStreaming
        }
    }

    /// The method for a channel that only counts replies. Holds objects as `rpc`.
    func loadRPC() -> RPCMethod<EncodedMessage, SkippedMessage> {
        RPCMethod(
            service: service, name: name, kind: kind,
            request: .init(
                decode: { try $0.decodeMessage(decoder: &$1) },
                encode: { try $0.traverse(visitor: &$1) }),
            response: .init(
                decode: { try $1.skipFields() }, encode: { try $0.traverse(visitor: &$1) }))
    }

    /// The method for a channel. Holds objects of calls that are used again: create it once.
    func rpc() -> RPCMethod<EncodedMessage, EncodedMessage> {
        RPCMethod(service: service, name: name, kind: kind)
    }
}
