/// The protocol for implementations of a service whose methods never wait.
struct SynchronousTemplate {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames

    /// The protocol, and what an implementation has for nothing; nothing for a service with no
    /// methods.
    var lines: Lines {
        service.methods.isEmpty ? [] : .joined([declaration, conveniences])
    }

    private var declaration: Lines {
        let comment = DocComment.lines([
            "`\(service.protocolName)` for implementations whose methods never wait: each runs on",
            "its connection's loop as soon as the request is there, and holds the loop up until",
            "it returns.",
        ])
        let head =
            "\(level.modifier)nonisolated protocol \(service.synchronousName): "
            + "\(service.protocolName) {"
        return comment + [head] + Lines.joined(service.methods.map(requirement)).indented + ["}"]
    }

    private func requirement(_ method: MethodModel) -> Lines {
        DocComment.lines(
            method.comment, or: "Answers `\(service.fullName).\(method.name)`.",
            isDeprecated: method.isDeprecated)
            + Layout.list(
                "func \(method.swiftName)",
                ["_ request: \(method.request)", "_ call: \(names.controller)"],
                " throws -> \(method.response)", depth: 1, closingOnOwnLine: true)
    }

    private var conveniences: Lines {
        let head = "\(level.modifier)func register(in registry: inout \(names.registry)) throws {"
        return ["extension \(service.synchronousName) {"]
            + (["/// Adds every method to a server's table, as one that never waits."] + [head]
            + service.methods.flatMap(registration).indented + ["}"]).indented + ["}"]
    }

    private func registration(_ method: MethodModel) -> Lines {
        [
            "try registry.add(",
            "    \(service.methodsName).\(method.swiftName),",
            "    synchronous: { request, call in try self.\(method.swiftName)(request, call) })",
        ]
    }
}
