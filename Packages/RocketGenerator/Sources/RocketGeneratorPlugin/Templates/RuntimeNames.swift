/// How generated code calls the types it needs of RocketRPC and of Swift: by their plain names,
/// or with the module's where a type of the generated module hides them.
struct RuntimeNames {
    private let scope: ModuleScope

    init(scope: ModuleScope) { self.scope = scope }

    var service: String { name("RPCService", of: "RocketRPC") }
    var registry: String { name("RPCServiceRegistry", of: "RocketRPC") }
    var controller: String { name("RPCController", of: "RocketRPC") }
    var method: String { name("RPCMethod", of: "RocketRPC") }
    var channel: String { name("RPCChannel", of: "RocketRPC") }
    var metadata: String { name("RPCMetadata", of: "RocketRPC") }
    var callOptions: String { name("RPCCallOptions", of: "RocketRPC") }
    var error: String { name("RPCError", of: "RocketRPC") }
    var descriptors: String { name("_RPCFileDescriptors", of: "RocketRPC") }
    var duration: String { name("Duration", of: "Swift") }

    private func name(_ type: String, of module: String) -> String {
        scope.contains(type) ? "\(module).\(type)" : type
    }
}
