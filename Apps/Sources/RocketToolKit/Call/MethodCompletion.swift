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
        guard let command = await command(of: words) else { return [] }
        let address = command.address
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

    /// What `call` and `load` say about the server; nil for words that do not fit.
    struct Command {
        let address: String
        let server: ServerOptions
        let schema: SchemaOptions
    }

    /// The command that the words are; those that do not fit are left out.
    static func command(of words: [String]) async -> Command? {
        guard words.count > 1 else { return nil }
        let rest = words[2...].filter { !$0.isEmpty }
        switch words[1] {
        case "call":
            // A list needs an address only, and no method.
            let call = try? await CallCommand.asyncParse(rest + ["--list"])
            guard let call, let address = call.address else { return nil }
            return Command(address: address, server: call.server, schema: call.schema)
        case "load":
            // The method may be the word that is completed.
            var load = try? await LoadCommand.asyncParse(rest)
            if load == nil { load = try? await LoadCommand.asyncParse(rest + ["method"]) }
            return load.map {
                Command(address: $0.address, server: $0.server, schema: $0.schema)
            }
        default: return nil
        }
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
