extension ClientTemplate {
    /// Returns the function of a method with streams that takes the call's options as arguments.
    func streamCall(_ method: MethodModel) -> Lines {
        let form = StreamCallForm(method, names)
        let signature = Layout.list(
            "\(level.modifier)nonisolated(nonsending) func \(method.swiftName)",
            form.request + [
                "timeout: \(names.duration)? = nil", "metadata: \(names.metadata) = .empty",
                "options: \(names.callOptions) = .init()",
            ] + form.write, form.result, depth: 1, closingOnOwnLine: true)
        let body = Layout.list(
            "try await channel.\(form.function)",
            ["\(service.methodsName).\(method.swiftName)"]
                + (form.request.isEmpty ? [] : ["request"])
                + ["timeout: timeout", "metadata: metadata", "options: options"]
                + (form.write.isEmpty ? [] : ["write"]), depth: 2, closingOnOwnLine: false)
        return head(of: method, form.note) + signature + body.indented + ["}"]
    }

    /// Returns the function of a method with streams that takes a controller.
    func controlledStreamCall(_ method: MethodModel) -> Lines {
        let form = StreamCallForm(method, names, isControlled: true)
        let signature = Layout.list(
            "\(level.modifier)nonisolated(nonsending) func \(method.swiftName)",
            form.request + ["_ call: \(names.controller)"], form.result, depth: 1,
            closingOnOwnLine: true)
        let body = Layout.list(
            "try await channel.\(form.function)",
            ["\(service.methodsName).\(method.swiftName)"]
                + (form.request.isEmpty ? [] : ["request"])
                + ["call"], depth: 2, closingOnOwnLine: false)
        return head(of: method, form.note) + signature + body.indented + ["}"]
    }

    private func head(of method: MethodModel, _ note: [String]) -> Lines {
        let fullName = "\(service.fullName).\(method.name)"
        return DocComment.lines(
            method.comment, or: "Calls `\(fullName)`.", isDeprecated: method.isDeprecated)
            + DocComment.lines([""] + note)
            + DocComment.deprecation(of: fullName, isDeprecated: method.isDeprecated)
    }
}

/// What differs between a client's functions for the kinds of streams.
private struct StreamCallForm {
    /// The parameter of the request, before the options of the call; none for a stream of requests.
    var request: [String] = []
    /// The parameter that writes the requests, after the options.
    var write: [String] = []
    /// From the effects to the opening brace.
    var result: String
    /// The function of the channel.
    var function: String
    /// Lines of the comment.
    var note: [String]

    /// - Parameter isControlled: whether the function takes a controller. There is no such function
    ///   with a closure that writes the requests: whoever has a controller uses the call itself.
    init(_ method: MethodModel, _ names: RuntimeNames, isControlled: Bool = false) {
        let throwing = " async throws(\(names.error)) -> "
        switch (method.kind, isControlled) {
        case (.serverStreaming, _):
            request = ["_ request: \(method.request)"]
            result = "\(throwing)\(names.messageStream)<\(method.response)> {"
            function = "serverStream"
            note = ["The call is cancelled when nothing holds its stream any more."]
        case (.clientStreaming, false):
            write = [
                "_ write: nonisolated(nonsending) (\(names.writer)<\(method.request)>) "
                    + "async throws -> Void"
            ]
            result = " async throws -> \(method.response) {"
            function = "clientStream"
            note = [
                "`write` writes the requests; each write waits until the server can take the message.",
                "The requests end when it returns; an error that it throws cancels the call.",
            ]
        case (.clientStreaming, true):
            result = "\(throwing)\(names.streamCall)<\(method.request), \(method.response)> {"
            function = "stream"
            note = [
                "Write the requests to `requests` of the call; its `response()` ends them and waits",
                "for the response.",
            ]
        case (.unary, _), (.bidirectionalStreaming, _):
            result = "\(throwing)\(names.streamCall)<\(method.request), \(method.response)> {"
            function = "stream"
            note = [
                "Write the requests to `requests` of the call, then call `finishRequests()`; read the",
                "responses from `responses`, at the same time.",
            ]
        }
    }
}
