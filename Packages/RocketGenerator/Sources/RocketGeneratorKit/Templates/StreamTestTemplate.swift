import RocketGeneratorPlugin

/// Writes Tests/NAMETests/METHODTests.swift of a method with streams. The test names no message: one
/// of the libraries that it imports may have a type of that name.
struct StreamTestTemplate {
    let project: ProjectModel
    let method: ProjectMethod
    private var names: ProjectNames { project.names }

    var lines: Lines {
        let title =
            method.model.kind.streamsResponses
            ? "Ends the stream of responses" : "Returns a response"
        let function =
            method.model.kind.streamsResponses ? "endsTheStream" : "returnsResponse"
        return .joined([
            imports,
            [
                "@\(names.testing("Suite"))(\"\(method.fullName)\")",
                "struct \(method.interface)Tests {",
            ]
                + ([
                    "@\(names.testing("Test"))(\"\(title)\")",
                    "func \(function)() async throws {",
                ] + (start + call).indented + ["}"]).indented + ["}"],
        ])
    }

    private var imports: Lines {
        let created =
            [method.requestFields]
            + (method.model.kind.streamsResponses ? [] : [method.responseFields])
        let modules = method.imports(toCreate: created)
            .union(["RocketRPC", "Testing", project.name.module])
        return modules.sorted().map { "import \($0)" }
    }

    /// The service and its client or, since a warning is an error, the channel if the client's
    /// function is deprecated.
    private var start: Lines {
        ["let service = \(method.implementation)(\(names.resources)())"] + method.channel(names)
    }

    /// Returns the call of the client's function, or of the channel's function with the method.
    private func function(_ name: String) -> (name: String, arguments: [String]) {
        method.isDeprecated
            ? ("channel.\(name)", ["\(method.methodsName).\(method.model.swiftName)"])
            : ("client.\(method.model.swiftName)", [])
    }

    private var call: Lines {
        switch method.model.kind {
        case .unary: return []
        case .serverStreaming:
            let function = function("serverStream")
            return MessageCall.lines(
                "let responses = try await \(function.name)", function.arguments,
                method.requestFields) + count(of: "responses")
        case .clientStreaming:
            let function = function("clientStream")
            let arguments = function.arguments.isEmpty ? "" : "(\(function.arguments[0]))"
            return ["let response = try await \(function.name)\(arguments) { requests in"]
                + write("requests").indented + ["}", "#expect(\(method.responseExpectation))"]
        case .bidirectionalStreaming:
            let function = function("stream")
            return [
                "let call = try await \(function.name)(\(function.arguments.joined()))"
            ] + write("call.requests") + ["call.finishRequests()"] + count(of: "call.responses")
        }
    }

    private func write(_ writer: String) -> Lines {
        MessageCall.lines("try await \(writer).write", [], method.requestFields)
    }

    private func count(of responses: String) -> Lines {
        [
            "var count = 0",
            "for try await _ in \(responses) { count += 1 }",
            "#expect(count == 0)",
        ]
    }
}

/// Writes the call of a function with a message that has only its required fields.
enum MessageCall {
    /// Returns `function(argument, message)`, the message over several lines if it has fields.
    static func lines(
        _ function: String, _ arguments: [String], _ fields: RequiredFields
    ) -> Lines {
        let message = fields.minimalMessage()
        guard message.count > 1 else {
            return ["\(function)(\((arguments + message).joined(separator: ", ")))"]
        }
        return ["\(function)("]
            + (arguments.map { "\($0)," } + message.dropLast() + ["\(message[message.count - 1]))"])
            .indented
    }
}

extension ProjectMethod {
    /// A client over a channel in the process of the test or, since a warning is an error, the
    /// channel if the client's functions are deprecated.
    func channel(_ names: ProjectNames) -> Lines {
        let channel = "try \(names.rpc("RPCChannel"))(inProcess: [service])"
        guard !isDeprecated else { return ["let channel = \(channel)"] }
        return Layout.list(
            "let client = \(clientName)", [channel], depth: 2, closingOnOwnLine: false)
    }

    /// What is expected of the response of an interface or function without logic.
    var responseExpectation: String {
        if let fields = model.businessFields { return "response.\(fields.code) == 0" }
        return responseFields.paths.isEmpty ? "response == .init()" : "response.isInitialized"
    }
}
