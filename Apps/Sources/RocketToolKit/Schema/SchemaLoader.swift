import RocketBase
import RocketDynamic
import RocketProgram
import RocketRPC
import SwiftProtobuf

/// Finds out what a server's services are: by its reflection.
struct SchemaLoader {
    /// The most calls for files that others import.
    private static let maxImports = 500

    private let reflection: any Reflection
    /// The full names of the server's services, sorted.
    let serviceNames: [String]
    private let server: String

    /// For a server whose services are known.
    init(_ reflection: any Reflection, serviceNames: [String], server: String) {
        self.reflection = reflection
        self.serviceNames = serviceNames
        self.server = server
    }

    /// Asks the server for its services.
    ///
    /// - Throws: `ProgramFailure` if the server has no reflection, or `RPCError`.
    init(
        _ channel: RPCChannel, server: String, isGRPC: Bool, call: ReflectionCall
    ) async throws {
        self.server = server
        if !isGRPC {
            let reflection = RocketReflection(channel: channel, call: call)
            do { serviceNames = try await reflection.serviceNames().sorted() } catch {
                throw Self.withoutReflection(error, server, isGRPC: false)
            }
            self.reflection = reflection
            return
        }
        var reflection = GRPCReflection(channel, service: GRPCReflection.services[0], call)
        do { serviceNames = try await reflection.serviceNames().sorted() } catch {
            guard Self.isMissing(error) else { throw error }
            reflection = GRPCReflection(channel, service: GRPCReflection.services[1], call)
            do { serviceNames = try await reflection.serviceNames().sorted() } catch {
                throw Self.withoutReflection(error, server, isGRPC: true)
            }
        }
        self.reflection = reflection
    }

    private static func isMissing(_ error: any Error) -> Bool {
        guard let code = (error as? RPCError)?.code else { return false }
        return [.unimplemented, .serviceNotFound, .methodNotFound, .parseServiceName].contains(code)
    }

    /// Whether the server has said that it does not know a symbol.
    private static func isUnknown(_ error: any Error) -> Bool {
        guard let code = (error as? RPCError)?.code else { return false }
        return [.notFound, .serviceNotFound].contains(code)
    }

    private static func withoutReflection(
        _ error: any Error, _ server: String, isGRPC: Bool
    ) -> any Error {
        guard isMissing(error) else { return error }
        let own = isGRPC ? "" : " (of Rocket: server/reflection in its configuration)"
        return ProgramFailure(
            "the server \(server) has no reflection\(own): name its .proto file: "
                + "--proto FILE --import-path FOLDER", status: .protocolError)
    }

    /// Returns the schema of the service that a name is, or begins with; of all services if the name
    /// has no dot or slash, or is nil.
    ///
    /// - Throws: `ProgramFailure` for an unknown name, `RPCError`, `DynamicSchemaError`.
    func schema(for name: String?) async throws -> DynamicSchema {
        guard let name, let service = try service(of: name) else {
            var files: [[UInt8]] = []
            for service in serviceNames {
                do { files += try await reflection.files(defining: service) } catch {
                    // Some servers list a service whose file they do not have.
                    guard Self.isUnknown(error) else { throw error }
                }
            }
            return try await schema(files)
        }
        return try await schema(reflection.files(defining: service))
    }

    /// Returns the schema of whatever defines a symbol.
    func schema(defining symbol: String) async throws -> DynamicSchema {
        if let service = try? service(of: symbol) {
            return try await schema(reflection.files(defining: service))
        }
        do { return try await schema(reflection.files(defining: symbol)) } catch {
            guard Self.isUnknown(error) else { throw error }
            throw ProgramFailure(
                "the server \(server) has no symbol '\(symbol)'; its services: "
                    + serviceNames.joined(separator: ", "), status: .failure)
        }
    }

    /// The service that a name is, or that the method with this name belongs to.
    private func service(of name: String) throws -> String? {
        if serviceNames.contains(name) { return name }
        let text = name.hasPrefix("/") ? String(name.dropFirst()) : name
        guard let end = text.lastIndex(where: { "./".contains($0) }) else {
            let found = serviceNames.filter { $0.hasSuffix(".\(text)") }
            return found.count == 1 ? found[0] : nil
        }
        for part in [String(text[..<end]), text] {
            if serviceNames.contains(part) { return part }
            let found = serviceNames.filter { $0.hasSuffix(".\(part)") }
            if found.count == 1 { return found[0] }
            if found.count > 1 {
                throw ProgramFailure(
                    "'\(part)' is the name of several services: "
                        + found.joined(separator: ", "), status: .failure)
            }
        }
        let wanted = String(text[..<end])
        throw ProgramFailure(
            "the server \(server) has no service '\(wanted)'"
                + NearestName.hint(for: wanted, in: serviceNames) + known, status: .failure)
    }

    private var known: String {
        serviceNames.isEmpty ? "" : "; it has " + serviceNames.joined(separator: ", ")
    }

    /// Connects files; asks for what they import where the server has sent one file only.
    private func schema(_ files: [[UInt8]]) async throws -> DynamicSchema {
        var all: [[UInt8]] = []
        var names: Set<String> = []
        var wanted: [String] = []
        func add(_ files: [[UInt8]]) {
            for file in files {
                guard let proto = try? Google_Protobuf_FileDescriptorProto(serializedBytes: file),
                    names.insert(proto.name).inserted
                else { continue }
                all.append(file)
                wanted += proto.dependency
            }
        }
        add(files)
        var asked: Set<String> = []
        while let next = wanted.popLast() {
            if names.contains(next) || !asked.insert(next).inserted { continue }
            if asked.count > Self.maxImports { break }
            // One that is missing is reported by the schema, unless libprotobuf has it.
            add((try? await reflection.files(named: next)) ?? [])
        }
        return try DynamicSchema(descriptors: all)
    }
}
