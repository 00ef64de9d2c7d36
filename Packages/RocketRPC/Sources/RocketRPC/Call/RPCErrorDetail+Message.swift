public import RocketBase
public import SwiftProtobuf

// Details of errors as messages: google.rpc's standard ones (google/rpc/error_details.proto), or any
// other.

extension RPCErrorDetail {
    /// Packs a message, with the type URL `type.googleapis.com/NAME`.
    ///
    /// - Throws: `RPCError` with ERROR_FAILED_SERIALIZE if the message can't be serialized.
    public init(_ message: some SwiftProtobuf.Message) throws(RPCError) {
        do {
            let name = type(of: message).protoMessageName
            self.init(
                typeURL: "type.googleapis.com/\(name)", value: try message.serializedBytes())
        } catch {
            throw RPCError(.failedSerialize, "the detail can't be serialized", cause: error)
        }
    }

    /// Unpacks the message; nil if it is of another type, or can't be parsed.
    public func message<Message: SwiftProtobuf.Message>(as type: Message.Type) -> Message? {
        guard messageName == Message.protoMessageName else { return nil }
        return try? Message(serializedBytes: value)
    }
}

extension RocketError {
    /// The details of one type, in their order. Those that can't be parsed are left out.
    public func details<Message: SwiftProtobuf.Message>(of type: Message.Type) -> [Message] {
        details.compactMap { $0.message(as: type) }
    }
}
