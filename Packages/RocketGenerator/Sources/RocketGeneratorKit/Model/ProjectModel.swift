import RocketGeneratorPlugin

/// All that a project is written from, in plain values.
struct ProjectModel {
    var name: ProjectName
    /// The .proto file with the services, as it is called under Protos/.
    var protoPath: String
    /// The TCP port that the configuration names.
    var port: UInt16
    /// Where Rocket's packages come from.
    var rocket: RocketSource
    /// How the project calls what it does not define itself.
    var names: ProjectNames
    var services: [ProjectService]

    /// All methods, in the file's order.
    var methods: [ProjectMethod] { services.flatMap(\.methods) }
}

/// A service and what the project writes for it.
struct ProjectService {
    var model: ServiceModel
    /// `OrderServiceImpl`
    var implementation: String
    var methods: [ProjectMethod]
}

/// A method and what the project writes for it.
struct ProjectMethod {
    var model: MethodModel
    /// On the wire: `shop.v1.Order.makeOrder`.
    var fullName: String
    /// The service's enum of methods: `OrderMethods`.
    var methodsName: String
    /// The service's client: `OrderClient`.
    var clientName: String
    /// The service's implementation: `OrderServiceImpl`.
    var implementation: String
    /// The type of its interface, and its file's name: `MakeOrder`.
    var interface: String
    /// `test_make_order_client`
    var testClient: String
    /// What its request needs even when it is empty.
    var requestFields = RequiredFields()
    /// What its response needs even when it is empty.
    var responseFields = RequiredFields()
    /// The full names of its messages on the wire: `(shop.Want) returns (shop.Bill)`.
    var signature: String
    /// Whether a message of it is one of SwiftProtobuf's own.
    var usesWellKnownMessages: Bool {
        [model.request, model.response].contains { $0.hasPrefix("SwiftProtobuf.") }
    }

    /// What a file needs to import beside the rest to make one of these messages.
    func imports(toMake fields: [RequiredFields]) -> Set<String> {
        let needsProtobuf = usesWellKnownMessages || fields.contains { !$0.paths.isEmpty }
        let needsFoundation = fields.contains { $0.hasBytes }
        return Set(
            (needsProtobuf ? ["SwiftProtobuf"] : []) + (needsFoundation ? ["Foundation"] : []))
    }
}
