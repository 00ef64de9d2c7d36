/// Content of one generated file as plain values: the input of the templates.
package struct FileModel: Equatable {
    /// Path of the .proto file as it was given to protoc.
    package var protoPath: String
    /// Modules of the messages, without the generated module and RocketRPC; sorted.
    package var messageModules: [String] = []
    /// Aliases for messages whose names begin with a lower-case letter, in file order.
    package var messageNames: [MessageName] = []
    /// The file and its imports as a serialized google.protobuf.FileDescriptorSet.
    package var descriptors: [UInt8] = []
    /// In file order.
    package var services: [ServiceModel]
}

/// Alias for a message: `MakeOrderRequest` for the type that protoc-gen-swift names
/// `makeOrderRequest`.
package struct MessageName: Equatable {
    package var alias: String
    package var original: String
}

/// One service.
package struct ServiceModel: Equatable {
    /// Name on the wire, with the package: `shop.v1.Order`.
    package var fullName: String
    /// `Shop_V1_OrderService`
    package var protocolName: String
    /// `Shop_V1_SynchronousOrderService`
    package var synchronousName: String
    /// `Shop_V1_OrderMethods`
    package var methodsName: String
    /// `Shop_V1_OrderClient`
    package var clientName: String
    /// Lines of the comment in the .proto file, without comment markers.
    package var comment: [String] = []
    /// Whether the service or its file has `option deprecated = true`.
    package var isDeprecated = false
    /// In the order of the service.
    package var methods: [MethodModel] = []

    /// Whether a method streams its requests or responses.
    package var hasStreams: Bool { methods.contains { $0.kind != .unary } }
}

/// Which sides of a method send a stream of messages; the raw values are the cases of
/// `RPCMethodKind`.
package enum MethodKind: String, Equatable, Sendable {
    case unary
    case clientStreaming
    case serverStreaming
    case bidirectionalStreaming

    package init(streamsRequests: Bool, streamsResponses: Bool) {
        self =
            switch (streamsRequests, streamsResponses) {
            case (false, false): .unary
            case (true, false): .clientStreaming
            case (false, true): .serverStreaming
            case (true, true): .bidirectionalStreaming
            }
    }

    package var streamsRequests: Bool {
        self == .clientStreaming || self == .bidirectionalStreaming
    }

    package var streamsResponses: Bool {
        self == .serverStreaming || self == .bidirectionalStreaming
    }
}

/// One method.
package struct MethodModel: Equatable {
    /// Name on the wire: `makeOrder`.
    package var name: String
    /// Name in Swift, in backticks where it is a keyword.
    package var swiftName: String
    package var kind = MethodKind.unary
    /// Name of the request's type in the generated file.
    package var request: String
    /// Name of the response's type in the generated file.
    package var response: String
    /// Lines of the comment in the .proto file, without comment markers.
    package var comment: [String] = []
    /// Whether the method has `option deprecated = true`.
    package var isDeprecated = false
    /// Fields of the response that carry a refusal; nil where it does not have both. A refusal of a
    /// method that streams its responses is an error: it is not one of the messages.
    package var businessFields: BusinessFields?
}

/// The fields of a response that carry a refusal, `int32 ret_code` and `string res_info`, by their
/// Swift names.
package struct BusinessFields: Equatable {
    /// `retCode`
    package var code: String
    /// `resInfo`
    package var info: String

    /// Returns the statements that copy the code and reason of `error` into `message`.
    package func assignments(to message: String, from error: String) -> Lines {
        ["\(message).\(code) = \(error).code", "\(message).\(info) = \(error).info"]
    }
}
