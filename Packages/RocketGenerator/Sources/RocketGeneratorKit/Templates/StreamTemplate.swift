import RocketGeneratorPlugin

/// Writes Sources/NAME/interface/METHOD.swift of a method with streams: an extension of the service's
/// implementation with the function of the method.
struct StreamTemplate {
    let method: ProjectMethod
    let names: ProjectNames

    var lines: Lines {
        .joined([
            imports, ["extension \(method.implementation) {"] + function.indented + ["}"],
        ])
    }

    private var streamsResponses: Bool { method.model.kind.streamsResponses }

    /// The signature uses RocketRPC and the messages' module, the body what creates the response. The
    /// user's logic creates messages by `with`, a function of SwiftProtobuf.
    private var imports: Lines {
        let needed = method.imports(toCreate: streamsResponses ? [] : [method.responseFields])
        return needed.union(["RocketRPC", "SwiftProtobuf"]).sorted().map { module in
            let isInSignature =
                module == "RocketRPC" || module == "SwiftProtobuf" && method.usesWellKnownMessages
            return isInSignature ? "public import \(module)" : "import \(module)"
        }
    }

    /// The function, which ignores all requests and sends no responses.
    var function: Lines {
        let signature = HandlerSignature(
            method.model, controller: names.rpc("RPCController"),
            messageStream: names.rpc("RPCMessageStream"), writer: names.rpc("RPCWriter"))
        return DocComment.lines(
            method.model.comment, or: "Handles `\(method.fullName)`.",
            isDeprecated: method.model.isDeprecated)
            + Layout.list(
                "public func \(method.model.swiftName)", signature.parameters,
                " async throws\(signature.result) {", depth: 1, closingOnOwnLine: true)
            + body.indented + ["}"]
    }

    private var body: Lines {
        switch method.model.kind {
        case .unary: []
        case .serverStreaming:
            [
                "// Your logic goes here. Without it, there are no responses.",
                "// `try await responses.write(…)` sends one and waits while the client reads slowly; the",
                "// stream ends when this function returns. Throw a `\(names.businessException)` to fail the",
                "// call with its code. What all calls use is in `resources`.",
            ]
        case .clientStreaming:
            [
                "for try await _ in requests {",
                "    // Your logic goes here. Without it, the requests are ignored.",
                "}",
            ] + returned
        case .bidirectionalStreaming:
            [
                "for try await _ in requests {",
                "    // Your logic goes here. Without it, the requests are ignored.",
                "    // `try await responses.write(…)` sends a response, here or after the last request.",
                "}",
            ]
        }
    }

    private var returned: Lines {
        let response = method.responseFields.minimalMessage(method.model.response)
        return ["return \(response[0])"] + response.dropFirst()
    }
}
