/// One typed detail of an error: a serialized protobuf message and the URL of its type, as in
/// google.protobuf.Any. The error's details travel as those of google.rpc.Status.
///
/// RocketRPC packs and unpacks messages: `RPCErrorDetail(message)`, `error.details(of: Type.self)`.
public struct RPCErrorDetail: Hashable, Sendable {
    /// The type, such as `type.googleapis.com/google.rpc.ErrorInfo`: the full name of the message is
    /// what follows the last slash.
    public let typeURL: String
    /// The serialized message.
    public let value: [UInt8]

    /// Creates a detail of any type, which is not checked.
    public init(typeURL: String, value: [UInt8]) {
        self.typeURL = typeURL
        self.value = value
    }

    /// The full name of the message, such as `google.rpc.ErrorInfo`.
    public var messageName: Substring {
        typeURL.lastIndex(of: "/").map { typeURL[typeURL.index(after: $0)...] } ?? typeURL[...]
    }
}
