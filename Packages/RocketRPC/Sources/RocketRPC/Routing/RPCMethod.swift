public import SwiftProtobuf

/// One method of a service: its name on the wire and the types that go in and come out.
public struct RPCMethod<Request: Message & Sendable, Response: Message & Sendable>: Sendable {
    /// With the protobuf package: `shop.v1.Order`.
    public let service: String
    /// As the .proto spells it: `makeOrder`.
    public let name: String
    /// As it stands on the wire: `shop.v1.Order.makeOrder`.
    public let fullName: String
    /// The same without the types of its messages, for calls of it.
    @usableFromInline let erased: ErasedMethod
    /// Objects of earlier calls, for later ones.
    @usableFromInline let callPool = CallPool()
    /// How requests become bytes and come back.
    public let request: _RPCMessageCoding<Request>
    /// The same for responses.
    public let response: _RPCMessageCoding<Response>

    /// The method `name` of `service`, which comes with its protobuf package.
    ///
    /// - Parameters:
    ///   - request: how requests become bytes; by default swift-protobuf's way. Generated code
    ///     knows a faster one.
    ///   - response: the same for responses.
    @inlinable
    public init(
        service: String, name: String, request: _RPCMessageCoding<Request> = .init(),
        response: _RPCMessageCoding<Response> = .init()
    ) {
        self.service = service
        self.name = name
        self.request = request
        self.response = response
        fullName = service + "." + name
        erased = ErasedMethod(methodName: [UInt8](fullName.utf8), request, response)
    }

    var fullNameBytes: [UInt8] { erased.methodName }
}
