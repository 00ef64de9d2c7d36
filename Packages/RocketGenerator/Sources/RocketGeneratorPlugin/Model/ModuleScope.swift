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
package struct RuntimeNames {
    private let scope: ModuleScope

    init(scope: ModuleScope) { self.scope = scope }

    var service: String { name("RPCService") }
    var registry: String { name("RPCServiceRegistry") }
    var controller: String { name("RPCController") }
    var method: String { name("RPCMethod") }
    var channel: String { name("RPCChannel") }
    var metadata: String { name("RPCMetadata") }
    var callOptions: String { name("RPCCallOptions") }
    var messageStream: String { name("RPCMessageStream") }
    var writer: String { name("RPCWriter") }
    var streamCall: String { name("RPCStreamCall") }
    var error: String { name("RPCError") }
    var descriptors: String { name("_RPCFileDescriptors") }
    var duration: String { name("Duration", of: "Swift") }

    /// All names that generated code, also that of swift-protobuf, uses without a module. A type of
    /// the same module with such a name would hide them; messages with the names of Swift's types
    /// are renamed by swift-protobuf.
    package static let all: Set<String> = [
        "RPCService", "RPCServiceRegistry", "RPCController", "RPCMethod", "RPCChannel",
        "RPCMetadata", "RPCCallOptions", "RPCError", "RPCMessageStream", "RPCWriter",
        "RPCStreamCall", "_RPCFileDescriptors", "Duration",
        "Swift", "SwiftProtobuf", "RocketRPC", "Foundation", "FoundationEssentials", "Data",
        "Bool", "Dictionary", "Double", "Equatable", "Float", "Hashable", "Int", "Int32", "Int64",
        "Sendable", "String", "UInt8", "UInt32", "UInt64",
    ]

    private func name(_ type: String, of module: String = "RocketRPC") -> String {
        scope.contains(type) ? "\(module).\(type)" : type
    }
}
