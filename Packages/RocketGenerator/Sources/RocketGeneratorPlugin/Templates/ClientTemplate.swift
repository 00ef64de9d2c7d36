/// Writes a service's client.
struct ClientTemplate {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames

    /// A struct with two functions for each method.
    var lines: Lines {
        let head = "\(level.modifier)nonisolated struct \(service.clientName): Sendable {"
        let members = [channel, initializer] + service.methods.flatMap(functions)
        return comment
            + DocComment.deprecation(of: service.fullName, isDeprecated: service.isDeprecated)
            + [head] + Lines.joined(members).indented + ["}"]
    }

    private func functions(_ method: MethodModel) -> [Lines] {
        method.kind == .unary
            ? [call(method), controlledCall(method)]
            : [streamCall(method), controlledStreamCall(method)]
    }

    private var comment: Lines {
        DocComment.lines(
            ["Calls `\(service.fullName)` over a channel."]
                + (service.comment.isEmpty ? [] : [""] + service.comment)
                + [
                    "",
                    "`timeout` limits the call; nil means the channel's timeout. `metadata` is sent",
                    "to the server. Every call ends with a response or an `RPCError`. Pass an",
                    "`RPCController` to set more options and to read how the call ended.",
                ] + (service.hasStreams ? streamNotes : []))
    }

    private var streamNotes: [String] {
        [
            "",
            "A call with streams has no time limit unless `timeout` sets one.",
        ]
    }

    private var channel: Lines {
        [
            "/// The channel of the calls.",
            "\(level.modifier)let channel: \(names.channel)",
        ]
    }

    private var initializer: Lines {
        [
            "/// Creates a client of `channel`. Any number of clients can share a channel.",
            "\(level.modifier)init(_ channel: \(names.channel)) { self.channel = channel }",
        ]
    }

    /// Returns the function that takes the call's options as arguments.
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

    /// Returns the function that takes a controller.
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
