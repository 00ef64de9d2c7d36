/// The struct through which a service is called.
struct ClientTemplate {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames

    /// The struct with one function for each method.
    var lines: Lines {
        let head = "\(level.modifier)nonisolated struct \(service.clientName): Sendable {"
        let members =
            [channel, initializer] + service.methods.flatMap { [call($0), controlledCall($0)] }
        return comment
            + DocComment.deprecation(of: service.fullName, isDeprecated: service.isDeprecated)
            + [head] + Lines.joined(members).indented + ["}"]
    }

    private var comment: Lines {
        DocComment.lines(
            ["Calls `\(service.fullName)` over a channel."]
                + (service.comment.isEmpty ? [] : [""] + service.comment)
                + [
                    "",
                    "A call's `timeout` is its own deadline, nil means the channel's; `metadata`",
                    "goes to the server with it. Every call ends with a reply or an `RPCError`.",
                    "A controller says more, and tells what became of its call.",
                ])
    }

    private var channel: Lines {
        [
            "/// What the calls go over.",
            "\(level.modifier)let channel: \(names.channel)",
        ]
    }

    private var initializer: Lines {
        [
            "/// Makes a client of `channel`, which any number of clients may share.",
            "\(level.modifier)init(_ channel: \(names.channel)) { self.channel = channel }",
        ]
    }

    /// One method's function.
    func call(_ method: MethodModel) -> Lines {
        let fullName = "\(service.fullName).\(method.name)"
        let signature = Layout.list(
            "\(level.modifier)nonisolated(nonsending) func \(method.swiftName)",
            [
                "_ request: \(method.request)", "timeout: \(names.duration)? = nil",
                "metadata: \(names.metadata) = .empty", "options: \(names.callOptions) = .init()",
            ], " async throws(\(names.error)) -> \(method.response) {", depth: 1,
            closingOnOwnLine: true)
        return DocComment.lines(
            method.comment, or: "Calls `\(fullName)`.", isDeprecated: method.isDeprecated)
            + DocComment.deprecation(of: fullName, isDeprecated: method.isDeprecated)
            + signature + forward(method).indented + ["}"]
    }

    /// The same with a controller.
    private func controlledCall(_ method: MethodModel) -> Lines {
        let fullName = "\(service.fullName).\(method.name)"
        let signature = Layout.list(
            "\(level.modifier)nonisolated(nonsending) func \(method.swiftName)",
            ["_ request: \(method.request)", "_ call: \(names.controller)"],
            " async throws(\(names.error)) -> \(method.response) {", depth: 1,
            closingOnOwnLine: true)
        let forward = Layout.list(
            "try await channel.call",
            ["\(service.methodsName).\(method.swiftName)", "request", "call"], depth: 2,
            closingOnOwnLine: false)
        return DocComment.lines(
            method.comment, or: "Calls `\(fullName)`.", isDeprecated: method.isDeprecated)
            + DocComment.deprecation(of: fullName, isDeprecated: method.isDeprecated)
            + signature + forward.indented + ["}"]
    }

    private func forward(_ method: MethodModel) -> Lines {
        Layout.list(
            "try await channel.call",
            [
                "\(service.methodsName).\(method.swiftName)", "request", "timeout: timeout",
                "metadata: metadata", "options: options",
            ], depth: 2, closingOnOwnLine: false)
    }
}
