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
        resources = Self.free("Resources", or: "ServiceResources", in: scope)
        interface = Self.free("Interface", or: "ServiceInterface", in: scope)
        businessException = Self.free("BusinessException", or: "ServiceException", in: scope)
    }

    private static func free(_ name: String, or other: String, in scope: ModuleScope) -> String {
        let numbered = (2...).lazy.map { "\(other)\($0)" }
        return [name, other].first { !scope.contains($0) }
            ?? numbered.first { !scope.contains($0) } ?? name
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

    /// Names that no interface may have, because it would hide a type or a module that the files of
    /// its module use.
    var reserved: Set<String> {
        RuntimeNames.all.union(Self.library).union([resources, interface, businessException])
    }

    /// Names in the project's own files, and those of Swift that the user's logic is likely to use.
    private static let library: Set<String> = [
        "Any", "AnyObject", "Array", "Character", "Error", "Never", "Optional", "Protocol", "Range",
        "Result", "Self", "Set", "Substring", "Task", "Type", "UInt", "Void", "BusinessError",
        "RocketBase", "RocketLogger", "RPCErrorCode", "RPCInterface",
    ]
}
