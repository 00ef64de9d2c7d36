/// All that is written into one generated file, in plain values: what the pieces work on.
package struct FileModel: Equatable {
    /// The .proto file's path, as protoc was given it.
    package var protoPath: String
    /// Which modules the messages come from, beside this one and RocketRPC; sorted.
    package var messageModules: [String] = []
    /// Names in Swift's style for messages whose own names begin lower case, in file order.
    package var messageNames: [MessageName] = []
    /// The file and all that it imports, as a serialized google.protobuf.FileDescriptorSet.
    package var descriptors: [UInt8] = []
    /// In the file's order.
    package var services: [ServiceModel]
}

/// A second name for a message: `MakeOrderRequest` for what protoc-gen-swift calls
/// `makeOrderRequest`.
package struct MessageName: Equatable {
    package var alias: String
    package var original: String
}

/// One service.
package struct ServiceModel: Equatable {
    /// The name on the wire, with the package: `shop.v1.Order`.
    package var fullName: String
    /// `Shop_V1_OrderService`
    package var protocolName: String
    /// `Shop_V1_SynchronousOrderService`
    package var synchronousName: String
    /// `Shop_V1_OrderMethods`
    package var methodsName: String
    /// `Shop_V1_OrderClient`
    package var clientName: String
    /// The comment's lines in the .proto, with neither slashes nor the blank after them.
    package var comment: [String] = []
    /// Whether the service or its whole file bears `option deprecated = true`.
    package var isDeprecated = false
    /// In the service's order.
    package var methods: [MethodModel] = []
}

/// One unary method.
package struct MethodModel: Equatable {
    /// The name on the wire: `makeOrder`.
    package var name: String
    /// The name in Swift, in backticks where it is a keyword.
    package var swiftName: String
    /// The request's type as code of the generated file refers to it.
    package var request: String
    /// The response's type as code of the generated file refers to it.
    package var response: String
    /// The comment's lines in the .proto, with neither slashes nor the blank after them.
    package var comment: [String] = []
    /// Whether the method bears `option deprecated = true`.
    package var isDeprecated = false
    /// The response's fields for refusals; nil where it has none.
    package var businessFields: BusinessFields?
}

/// The fields of a response that carry a refusal, `int32 ret_code` and `string res_info`, by their
/// Swift names.
package struct BusinessFields: Equatable {
    /// `retCode`
    package var code: String
    /// `resInfo`
    package var info: String

    /// Assignments of an error's code and reason to the fields of `message`.
    package func assignments(to message: String, from error: String) -> Lines {
        ["\(message).\(code) = \(error).code", "\(message).\(info) = \(error).info"]
    }
}
