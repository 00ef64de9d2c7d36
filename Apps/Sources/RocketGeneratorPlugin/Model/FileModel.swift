/// All that is written into one generated file, in plain values: what the pieces work on.
struct FileModel: Equatable {
    /// The .proto file's path, as protoc was given it.
    var protoPath: String
    /// Which modules the messages come from, beside this one and RocketRPC; sorted.
    var messageModules: [String] = []
    /// Names in Swift's style for messages whose own names begin lower case, in file order.
    var messageNames: [MessageName] = []
    /// The file and all that it imports, as a serialized google.protobuf.FileDescriptorSet.
    var descriptors: [UInt8] = []
    /// In the file's order.
    var services: [ServiceModel]
}

/// A second name for a message: `MakeOrderRequest` for what protoc-gen-swift calls
/// `makeOrderRequest`.
struct MessageName: Equatable {
    var alias: String
    var original: String
}

/// One service.
struct ServiceModel: Equatable {
    /// The name on the wire, with the package: `shop.v1.Order`.
    var fullName: String
    /// `Shop_V1_OrderService`
    var protocolName: String
    /// `Shop_V1_SynchronousOrderService`
    var synchronousName: String
    /// `Shop_V1_OrderMethods`
    var methodsName: String
    /// `Shop_V1_OrderClient`
    var clientName: String
    /// The comment's lines in the .proto, with neither slashes nor the blank after them.
    var comment: [String] = []
    /// Whether the service or its whole file bears `option deprecated = true`.
    var isDeprecated = false
    /// In the service's order.
    var methods: [MethodModel] = []
}

/// One unary method.
struct MethodModel: Equatable {
    /// The name on the wire: `makeOrder`.
    var name: String
    /// The name in Swift, in backticks where it is a keyword.
    var swiftName: String
    /// The request's type as code of the generated file refers to it.
    var request: String
    /// The response's type as code of the generated file refers to it.
    var response: String
    /// The comment's lines in the .proto, with neither slashes nor the blank after them.
    var comment: [String] = []
    /// Whether the method bears `option deprecated = true`.
    var isDeprecated = false
}
