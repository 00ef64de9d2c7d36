import SwiftProtobufPluginLibrary

/// Top-level names of the Swift module that contains the generated files. Generated names must not
/// collide with them, and they hide the same names of RocketRPC.
package struct ModuleScope {
    /// Owner of each name as it stands in error messages: `message 'Order'`.
    package private(set) var owners: [String: String] = [:]

    /// Collects the messages and enums of `files` and their imports that are compiled into the same
    /// module as `file`.
    init(
        of file: FileDescriptor, among files: [FileDescriptor], mappings: ProtoFileToModuleMappings
    ) {
        let namer = SwiftProtobufNamer(currentFile: file, protoFileToModuleMappings: mappings)
        let module = mappings.moduleName(forFile: file)
        var seen: Set<String> = []
        var pending = files
        while let next = pending.popLast() {
            guard seen.insert(next.name).inserted else { continue }
            pending += next.dependencies
            guard mappings.moduleName(forFile: next) == module else { continue }
            for message in next.messages {
                owners[namer.relativeName(message: message)] = "message '\(message.fullName)'"
            }
            for type in next.enums {
                owners[namer.relativeName(enum: type)] = "enum '\(type.fullName)'"
            }
        }
    }

    /// Creates a scope with the given names.
    package init(owners: [String: String] = [:]) { self.owners = owners }

    /// Adds a name. Returns its owner, and changes nothing, if the name is taken.
    mutating func claim(_ name: String, for owner: String) -> String? {
        if let other = owners[name] { return other }
        owners[name] = owner
        return nil
    }

    package func contains(_ name: String) -> Bool { owners[name] != nil }
}

/// Names of the types of RocketRPC and Swift in generated code: qualified with the module's name if
/// a type of the generated module hides the plain name.
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
