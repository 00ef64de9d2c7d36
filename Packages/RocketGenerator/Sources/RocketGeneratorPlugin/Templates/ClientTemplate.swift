/// Writes a service's client.
struct ClientTemplate {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames

    /// A struct with two functions for each unary method and one for each method with streams.
    var lines: Lines {
        let head = "\(level.modifier)nonisolated struct \(service.clientName): Sendable {"
        let members = [channel, initializer] + service.methods.flatMap(functions)
        return comment
            + DocComment.deprecation(of: service.fullName, isDeprecated: service.isDeprecated)
            + [head] + Lines.joined(members).indented + ["}"]
    }

    private func functions(_ method: MethodModel) -> [Lines] {
        method.kind == .unary ? [call(method), controlledCall(method)] : [streamCall(method)]
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
            "A call with streams has no time limit unless `timeout` sets one. `channel.stream` makes",
            "a call of any kind whose controller, requests and responses are used separately.",
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

    /// Returns the function of a method with streams.
    private func streamCall(_ method: MethodModel) -> Lines {
        let fullName = "\(service.fullName).\(method.name)"
        let form = StreamCallForm(method, names)
        let signature = Layout.list(
            "\(level.modifier)\(form.modifier)func \(method.swiftName)",
            form.first + [
                "timeout: \(names.duration)? = nil", "metadata: \(names.metadata) = .empty",
                "options: \(names.callOptions) = .init()",
            ] + form.last, form.result, depth: 1, closingOnOwnLine: true)
        let body = Layout.list(
            form.function,
            ["\(service.methodsName).\(method.swiftName)"] + form.firstArguments + [
                "timeout: timeout", "metadata: metadata", "options: options",
            ] + form.lastArguments, depth: 2, closingOnOwnLine: false)
        return DocComment.lines(
            method.comment, or: "Calls `\(fullName)`.", isDeprecated: method.isDeprecated)
            + DocComment.lines([""] + form.note)
            + DocComment.deprecation(of: fullName, isDeprecated: method.isDeprecated)
            + signature + body.indented + ["}"]
    }
}

/// What differs between the functions of a client for the kinds of streams.
private struct StreamCallForm {
    /// Before `func`.
    var modifier = "nonisolated(nonsending) "
    /// Parameters before the options of the call.
    var first: [String] = []
    var firstArguments: [String] = []
    /// Parameters after them.
    var last: [String] = []
    var lastArguments: [String] = []
    /// From the effects to the opening brace.
    var result: String
    /// The function of the channel.
    var function: String
    /// Lines of the comment.
    var note: [String]

    init(_ method: MethodModel, _ names: RuntimeNames) {
        switch method.kind {
        case .unary, .bidirectionalStreaming:
            modifier = ""
            result =
                " throws(\(names.error)) -> "
                + "\(names.streamCall)<\(method.request), \(method.response)> {"
            function = "try channel.stream"
            note = [
                "Write the requests to `requests` of the call, then call `finishRequests()`; read the",
                "responses from `responses`, at the same time.",
            ]
        case .clientStreaming:
            last = [
                "_ write: nonisolated(nonsending) (\(names.writer)<\(method.request)>) "
                    + "async throws -> Void"
            ]
            lastArguments = ["write"]
            result = " async throws -> \(method.response) {"
            function = "try await channel.clientStream"
            note = [
                "`write` writes the requests; each write waits until the server can take the message.",
                "The requests end when it returns; an error that it throws cancels the call.",
            ]
        case .serverStreaming:
            first = ["_ request: \(method.request)"]
            firstArguments = ["request"]
            result =
                " async throws(\(names.error)) -> \(names.messageStream)<\(method.response)> {"
            function = "try await channel.serverStream"
            note = [
                "The call is cancelled when the last copy of the stream is released before its end."
            ]
        }
    }
}
