import RocketGeneratorPlugin

/// Names of library types and of the project's common types in its files: plain names, or others if a
/// message has that name.
struct ProjectNames {
    /// Struct with the resources of services and calls.
    let resources: String
    /// Protocol of the project's interfaces.
    let interface: String
    /// Error that refuses a call by the rules of the service.
    let businessException: String
    private let isHidden: (String) -> Bool

    init(scope: ModuleScope) {
        isHidden = scope.contains
        resources = scope.contains("Resources") ? "ServiceResources" : "Resources"
        interface = scope.contains("Interface") ? "ServiceInterface" : "Interface"
        businessException =
            scope.contains("BusinessException") ? "ServiceException" : "BusinessException"
    }

    /// Returns the name of a type of RocketRPC, or of the given module.
    func rpc(_ type: String, of module: String = "RocketRPC") -> String {
        isHidden(type) ? "\(module).\(type)" : type
    }

    /// Returns the name of a type of ArgumentParser.
    func argument(_ type: String) -> String { rpc(type, of: "ArgumentParser") }

    /// Returns the name of a type of Testing.
    func testing(_ type: String) -> String { rpc(type, of: "Testing") }

    /// Returns the name of a type of RocketProgram.
    func program(_ type: String) -> String { rpc(type, of: "RocketProgram") }

    /// Names that no interface may have, because it would hide a type that the files use.
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
