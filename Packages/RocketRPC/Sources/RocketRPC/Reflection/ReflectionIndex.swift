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

    /// Returns all files, imported files first.
    func files() throws -> [Google_Protobuf_FileDescriptorProto] {
        var files: [Google_Protobuf_FileDescriptorProto] = []
        var names: Set<String> = []
        for file in try descriptors.flatMap({ try $0.files() })
        where names.insert(file.name).inserted {
            files.append(file)
        }
        return files
    }

    /// Returns the file with that name and all files that it imports, imported files first; nil for
    /// an unknown one.
    func files(named name: String) throws -> [Data]? {
        let files = try files()
        guard files.contains(where: { $0.name == name }) else { return nil }
        return try Self.closure(of: name, in: files).map { try $0.serializedData() }
    }

    private static func closure(
        of name: String, in files: [Google_Protobuf_FileDescriptorProto]
    ) -> [Google_Protobuf_FileDescriptorProto] {
        var needed: Set<String> = []
        var waiting = [name]
        while let name = waiting.popLast() {
            if needed.insert(name).inserted {
                waiting += files.first { $0.name == name }?.dependency ?? []
            }
        }
        return files.filter { needed.contains($0.name) }
    }

    /// Returns the file that defines `symbol` and all files that it imports, imported files first;
    /// without a symbol all files. Returns nil for an unknown symbol.
    func files(for symbol: String) throws -> [Data]? {
        var files = try files()
        if !symbol.isEmpty {
            guard let holder = files.first(where: { Self.holds($0, symbol) }) else { return nil }
            files = Self.closure(of: holder.name, in: files)
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
