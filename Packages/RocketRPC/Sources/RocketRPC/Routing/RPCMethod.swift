public import SwiftProtobuf

/// One method of a service: its name and its message types.
public struct RPCMethod<Request: Message & Sendable, Response: Message & Sendable>: Sendable {
    /// The name of the service with its protobuf package: `shop.v1.Order`.
    public let service: String
    /// The name of the method as in the .proto file: `makeOrder`.
    public let name: String
    /// The name in frames: `shop.v1.Order.makeOrder`.
    public let fullName: String
    /// Whether it takes or returns a stream.
    public let kind: RPCMethodKind
    /// The method without its message types, for outgoing calls.
    @usableFromInline let erased: ErasedMethod
    /// Reusable objects of outgoing calls.
    @usableFromInline let callPool = CallPool()
    /// Encodes and decodes requests.
    public let request: _RPCMessageCoding<Request>
    /// Encodes and decodes responses.
    public let response: _RPCMessageCoding<Response>

    /// Creates a description of the method `name` of `service`.
    ///
    /// - Parameters:
    ///   - service: the name of the service with its protobuf package.
    ///   - kind: whether it takes or returns a stream; default: neither.
    ///   - request: encodes and decodes requests. The default uses swift-protobuf's codec;
    ///     generated code passes a faster one.
    ///   - response: encodes and decodes responses.
    @inlinable
    public init(
        service: String, name: String, kind: RPCMethodKind = .unary,
        request: _RPCMessageCoding<Request> = .init(),
        response: _RPCMessageCoding<Response> = .init()
    ) {
        self.service = service
        self.name = name
        self.kind = kind
        self.request = request
        self.response = response
        fullName = service + "." + name
        erased = ErasedMethod(methodName: [UInt8](fullName.utf8), kind, request, response)
    }

    var fullNameBytes: [UInt8] { erased.methodName }
}
