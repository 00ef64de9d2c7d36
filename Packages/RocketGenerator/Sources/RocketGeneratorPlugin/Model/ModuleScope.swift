import SwiftProtobufPluginLibrary

/// The names at the top level of the Swift module that generated files go into: what a generated
/// name may collide with, and what may hide a name of RocketRPC.
package struct ModuleScope {
    /// Each name's owner, in words for a message: `message 'Order'`.
    package private(set) var owners: [String: String] = [:]

    /// Collects the messages and enums of `files` and of what they import, as far as that is
    /// compiled into the same module as `file`.
    init(
        of file: FileDescriptor, among files: [FileDescriptor], mappings: ProtoFileToModuleMappings
    ) {
        let namer = SwiftProtobufNamer(currentFile: file, protoFileToModuleMappings: mappings)
        let module = mappings.moduleName(forFile: file)
        var seen: Set<String> = []
        var waiting = files
        while let next = waiting.popLast() {
            guard seen.insert(next.name).inserted else { continue }
            waiting += next.dependencies
            guard mappings.moduleName(forFile: next) == module else { continue }
            for message in next.messages {
                owners[namer.relativeName(message: message)] = "message '\(message.fullName)'"
            }
            for type in next.enums {
                owners[namer.relativeName(enum: type)] = "enum '\(type.fullName)'"
            }
        }
    }

    /// A scope with these names in it.
    package init(owners: [String: String] = [:]) { self.owners = owners }

    /// Enters a name; gives back the owner's words where it has one already.
    mutating func claim(_ name: String, for owner: String) -> String? {
        if let other = owners[name] { return other }
        owners[name] = owner
        return nil
    }

    package func contains(_ name: String) -> Bool { owners[name] != nil }
}
