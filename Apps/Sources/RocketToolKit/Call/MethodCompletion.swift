import ArgumentParser
import RocketDynamic
import RocketProgram
import RocketRPC

/// Names of methods for the shell's completion: asks the server, which must answer soon.
enum MethodCompletion {
    /// How long the server may take for each call of reflection.
    static let timeout = "500ms"

    /// Returns the methods that begin with what was typed; none if the server can't be asked.
    ///
    /// - Parameter words: the command line so far, from the program's name on.
    static func names(_ words: [String], _ prefix: String) async -> [String] {
        guard let command = await command(of: words), let address = command.address else {
            return []
        }
        do {
            if let schema = try command.schema.schema() {
                return matching(prefix, schema.services.flatMap(\.methods).map(\.fullName))
            }
            var target = try command.server.target(address)
            target.configuration.connectTimeout = .milliseconds(500)
            var call = command.server.reflectionCall
            call.timeout = .milliseconds(500)
            let loader = try await SchemaLoader(
                CallCommand.channel(to: target), server: address, isGRPC: command.server.grpc,
                call: call)
            let schema = try await loader.schema(for: nil)
            return matching(prefix, schema.services.flatMap(\.methods).map(\.fullName))
        } catch { return [] }
    }

    /// The command that the words are; those that do not fit are left out.
    static func command(of words: [String]) async -> CallCommand? {
        guard let start = words.firstIndex(of: "call") else { return nil }
        let rest = words[(start + 1)...].filter { !$0.isEmpty }
        // A list needs an address only, and no method.
        return try? await CallCommand.asyncParse(rest + ["--list"])
    }

    /// The full names that begin with a text, or whose names without the package do.
    static func matching(_ prefix: String, _ names: [String]) -> [String] {
        let full = names.filter { $0.hasPrefix(prefix) }
        if !full.isEmpty { return full }
        return names.compactMap { name in
            let parts = name.split(separator: ".")
            let short = parts.suffix(2).joined(separator: ".")
            return short.hasPrefix(prefix) ? short : nil
        }
    }
}
