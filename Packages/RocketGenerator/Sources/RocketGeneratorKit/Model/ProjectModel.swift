import RocketGeneratorPlugin

/// Content of a project as plain values: the input of the templates.
struct ProjectModel {
    var name: ProjectName
    /// Paths of the .proto files on the command line, relative to Protos/.
    var protoPaths: [String]
    /// TCP port in the configuration.
    var port: UInt16
    /// Source of Rocket's packages.
    var rocket: RocketSource
    /// Names of types that are not generated for a method.
    var names: ProjectNames
    var services: [ProjectService]

    /// Full names of the services, separated by commas.
    var serviceNames: String { services.map(\.model.fullName).joined(separator: ", ") }

    /// All methods, in file order.
    var methods: [ProjectMethod] { services.flatMap(\.methods) }
}

/// A service and the names of its generated types.
struct ProjectService {
    var model: ServiceModel
    /// The .proto file, relative to Protos/.
    var protoPath: String
    /// `OrderServiceImpl`
    var implementation: String
    /// The program that calls the service: `test_order_client`.
    var testClient: String
    var methods: [ProjectMethod]
}

/// A method and the names of its generated types and program.
struct ProjectMethod {
    var model: MethodModel
    /// Name on the wire: `shop.v1.Order.makeOrder`.
    var fullName: String
    /// Enum with the service's method constants: `OrderMethods`.
    var methodsName: String
    /// Client of the service: `OrderClient`.
    var clientName: String
    /// Implementation of the service: `OrderServiceImpl`.
    var implementation: String
    /// Name of the file with the method's logic, and of the type of its interface: `MakeOrder`. A
    /// method with streams has no such type: its file contains a function.
    var interface: String
    /// The program that calls the service: `test_order_client`.
    var testClient: String
    /// Whether calls through the client are deprecated: those of the method or of its service.
    var isDeprecated = false
    /// Required fields of the request.
    var requestFields = RequiredFields()
    /// Required fields of the response.
    var responseFields = RequiredFields()
    /// Full names of the messages on the wire, as in the .proto file:
    /// `(shop.Want) returns (stream shop.Bill)`.
    var signature: String

    /// Whether the request or the response is a well-known type of SwiftProtobuf.
    var usesWellKnownMessages: Bool {
        [model.request, model.response].contains { $0.hasPrefix("SwiftProtobuf.") }
    }

    /// Returns the modules that a file must import to create messages with these required fields.
    func imports(toCreate fields: [RequiredFields]) -> Set<String> {
        let needsProtobuf = usesWellKnownMessages || fields.contains { !$0.paths.isEmpty }
        let needsFoundation = fields.contains { $0.hasBytes }
        return Set(
            (needsProtobuf ? ["SwiftProtobuf"] : []) + (needsFoundation ? ["Foundation"] : []))
    }
}
