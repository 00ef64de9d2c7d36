import FoundationEssentials
import SwiftProtobuf

/// The services of a server and their descriptors, served as `rocket.Reflection`. An immutable
/// value that is created with the server; descriptors are decoded for each request.
struct ReflectionIndex: Sendable {
    let services: [RPCServiceInfo]
    private let descriptors: [_RPCFileDescriptors]

    init(_ registry: RPCServiceRegistry) {
        var byService: [String: [RPCMethodInfo]] = [:]
        for name in registry.services.keys.sorted() { byService[name] = [] }
        for method in registry.entries {
            let parts = method.fullName.split(separator: ".")
            byService[parts.dropLast().joined(separator: "."), default: []].append(
                .with {
                    $0.name = String(parts.last ?? "")
                    $0.request = method.requestName
                    $0.response = method.responseName
                })
        }
        services = byService.sorted { $0.key < $1.key }.map { name, methods in
            .with {
                $0.name = name
                $0.methods = methods.sorted { $0.name < $1.name }
            }
        }
        descriptors = registry.descriptors
    }

    /// Returns the file that defines `symbol` and all files that it imports, imported files first;
    /// without a symbol all files. Returns nil for an unknown symbol.
    func files(for symbol: String) throws -> [Data]? {
        var files: [Google_Protobuf_FileDescriptorProto] = []
        var byName: [String: Google_Protobuf_FileDescriptorProto] = [:]
        for file in try descriptors.flatMap({ try $0.files() })
        where byName.updateValue(file, forKey: file.name) == nil {
            files.append(file)
        }
        if !symbol.isEmpty {
            guard let holder = files.first(where: { Self.holds($0, symbol) }) else { return nil }
            var needed: Set<String> = []
            var waiting = [holder.name]
            while let name = waiting.popLast() {
                if needed.insert(name).inserted { waiting += byName[name]?.dependency ?? [] }
            }
            files.removeAll { !needed.contains($0.name) }
        }
        return try files.map { try $0.serializedData() }
    }

    private static func holds(
        _ file: Google_Protobuf_FileDescriptorProto, _ symbol: String
    ) -> Bool {
        let prefix = file.package.isEmpty ? "" : file.package + "."
        guard symbol.hasPrefix(prefix) else { return false }
        let name = symbol.dropFirst(prefix.count)
        return file.service.contains { service in
            name == service.name
                || service.method.contains { name == "\(service.name).\($0.name)" }
        } || file.enumType.contains { name == $0.name }
            || file.messageType.contains { holds($0, name) }
    }

    private static func holds(
        _ message: Google_Protobuf_DescriptorProto, _ name: Substring
    ) -> Bool {
        if name == message.name { return true }
        guard name.hasPrefix(message.name + ".") else { return false }
        let inner = name.dropFirst(message.name.count + 1)
        return message.enumType.contains { inner == $0.name }
            || message.nestedType.contains { holds($0, inner) }
    }
}
