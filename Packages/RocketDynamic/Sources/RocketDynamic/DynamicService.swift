/// A service of a schema.
public struct DynamicService: Hashable, Sendable {
    /// The name with the protobuf package: `shop.v1.Order`.
    public let name: String
    /// The .proto file that defines it.
    public let file: String
    /// In the order of the file.
    public let methods: [DynamicMethod]
}

/// A method of a service.
public struct DynamicMethod: Hashable, Sendable {
    /// The name of the service with the protobuf package: `shop.v1.Order`.
    public let service: String
    /// The name as in the .proto file: `makeOrder`.
    public let name: String
    /// The full name of the request's type, for `DynamicSchema.encode`.
    public let request: String
    /// The full name of the response's type, for `DynamicSchema.decode`.
    public let response: String
    /// Whether the caller sends a stream.
    public let streamsRequests: Bool
    /// Whether the server sends a stream.
    public let streamsResponses: Bool

    /// `shop.v1.Order.makeOrder`.
    public var fullName: String { "\(service).\(name)" }
}
