/// Writes the protocol for implementations whose methods are synchronous.
struct SynchronousTemplate {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames

    /// The protocol and its default implementation; empty for a service without methods.
    var lines: Lines {
        service.methods.isEmpty ? [] : .joined([declaration, registration])
    }

    private var declaration: Lines {
        let comment = DocComment.lines([
            "`\(service.protocolName)` for implementations whose methods are synchronous. Each",
            "method runs on the event loop of its connection and blocks the loop until it",
            "returns, so it must not wait.",
        ])
        let head =
            "\(level.modifier)nonisolated protocol \(service.synchronousName): "
            + "\(service.protocolName) {"
        return comment + [head] + Lines.joined(service.methods.map(requirement)).indented + ["}"]
    }

    private func requirement(_ method: MethodModel) -> Lines {
        DocComment.lines(
            method.comment, or: "Handles `\(service.fullName).\(method.name)`.",
            isDeprecated: method.isDeprecated)
            + Layout.list(
                "func \(method.swiftName)",
                ["_ request: \(method.request)", "_ call: \(names.controller)"],
                " throws -> \(method.response)", depth: 1, closingOnOwnLine: true)
    }

    private var registration: Lines {
        let head = "\(level.modifier)func register(in registry: inout \(names.registry)) throws {"
        return ["extension \(service.synchronousName) {"]
            + (["/// Adds all methods to a server's table as synchronous methods."] + [head]
            + service.methods.flatMap(addition).indented + ["}"]).indented + ["}"]
    }

    private func addition(_ method: MethodModel) -> Lines {
        [
            "try registry.add(",
            "    \(service.methodsName).\(method.swiftName),",
            "    synchronous: { request, call in try self.\(method.swiftName)(request, call) })",
        ]
    }
}
