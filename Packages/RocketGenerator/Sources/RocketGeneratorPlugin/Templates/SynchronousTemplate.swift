/// Writes the protocol for implementations whose unary methods are synchronous. A method with streams
/// waits for messages, so it is asynchronous there, too.
struct SynchronousTemplate {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames

    /// The methods that can be synchronous.
    private var unary: [MethodModel] { service.methods.filter { $0.kind == .unary } }

    /// The protocol and its default implementation; empty for a service without unary methods.
    var lines: Lines {
        unary.isEmpty ? [] : .joined([declaration, registration])
    }

    private var declaration: Lines {
        let head =
            "\(level.modifier)nonisolated protocol \(service.synchronousName): "
            + "\(service.protocolName) {"
        return DocComment.lines(comment) + [head] + Lines.joined(unary.map(requirement)).indented
            + ["}"]
    }

    private var comment: [String] {
        guard service.hasStreams else {
            return [
                "`\(service.protocolName)` for implementations whose methods are synchronous. Each",
                "method runs on the event loop of its connection and blocks the loop until it",
                "returns, so it must not wait.",
            ]
        }
        return [
            "`\(service.protocolName)` for implementations whose unary methods are synchronous.",
            "Each of these runs on the event loop of its connection and blocks the loop until it",
            "returns, so it must not wait. Methods with streams are those of `\(service.protocolName)`.",
        ]
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
        let server = ServerTemplate(service: service, level: level, names: names)
        let note =
            service.hasStreams
            ? "Adds all methods to a server's table, the unary ones as synchronous methods."
            : "Adds all methods to a server's table as synchronous methods."
        return ["extension \(service.synchronousName) {"]
            + (DocComment.lines([note]) + server.registerHead
            + service.methods.flatMap { addition($0, server) }.indented + ["}"]).indented + ["}"]
    }

    private func addition(_ method: MethodModel, _ server: ServerTemplate) -> Lines {
        guard method.kind == .unary else { return server.streamRegistration(method) }
        return [
            "try registry.add(",
            "    \(service.methodsName).\(method.swiftName),",
            "    synchronous: { request, call in try self.\(method.swiftName)(request, call) })",
        ]
    }
}
