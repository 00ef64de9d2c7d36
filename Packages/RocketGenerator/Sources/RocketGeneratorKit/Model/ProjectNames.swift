import RocketGeneratorPlugin

/// How the project's files call types of libraries, and its own that are no method's: by plain
/// names, or by others where a message has that name.
struct ProjectNames {
    /// What each service and call can use.
    let resources: String
    /// The protocol of the project's interfaces.
    let interface: String
    /// What refuses by the rules of the service.
    let businessException: String
    private let isHidden: (String) -> Bool

    init(scope: ModuleScope) {
        isHidden = scope.contains
        resources = scope.contains("Resources") ? "ServiceResources" : "Resources"
        interface = scope.contains("Interface") ? "ServiceInterface" : "Interface"
        businessException =
            scope.contains("BusinessException") ? "ServiceException" : "BusinessException"
    }

    /// A type of RocketRPC, or of what it exports.
    func rpc(_ type: String, of module: String = "RocketRPC") -> String {
        isHidden(type) ? "\(module).\(type)" : type
    }

    /// A type of ArgumentParser.
    func argument(_ type: String) -> String { rpc(type, of: "ArgumentParser") }

    /// A type of Testing.
    func testing(_ type: String) -> String { rpc(type, of: "Testing") }

    /// A type of RocketProgram.
    func program(_ type: String) -> String { rpc(type, of: "RocketProgram") }

    /// Names that no interface may have: it would hide what the project's files speak of.
    var reserved: Set<String> {
        Self.library.union([resources, interface, businessException])
    }

    private static let library: Set<String> = [
        "Any", "AnyObject", "Array", "Bool", "Character", "Dictionary", "Double", "Duration",
        "Error", "Float", "Int", "Int32", "Int64", "Never", "Optional", "Protocol", "Range",
        "Result", "Self", "Sendable", "Set", "String", "Substring", "Task", "Type", "UInt", "Void",
        "BusinessError", "RocketLogger", "RPCChannel", "RPCController", "RPCError", "RPCErrorCode",
        "RPCInterface", "RPCService", "SwiftProtobuf", "RocketRPC",
    ]
}
