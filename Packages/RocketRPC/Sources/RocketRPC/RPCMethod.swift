public import SwiftProtobuf

/// One method of a service: its name on the wire and the types that go in and come out.
public struct RPCMethod<Request: Message & Sendable, Response: Message & Sendable>: Sendable {
    /// With the protobuf package: `shop.v1.Order`.
    public let service: String
    /// As the .proto spells it: `makeOrder`.
    public let name: String
    /// As it stands on the wire: `shop.v1.Order.makeOrder`.
    public let fullName: String
    let fullNameBytes: [UInt8]

    /// The method `name` of `service`, which comes with its protobuf package.
    public init(service: String, name: String) {
        self.service = service
        self.name = name
        fullName = service + "." + name
        fullNameBytes = [UInt8](fullName.utf8)
    }
}
