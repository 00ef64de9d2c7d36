import RocketGeneratorPlugin

/// Writes Sources/NAME/interface/METHOD.swift, which contains the logic of a method.
struct InterfaceTemplate {
    let method: ProjectMethod
    let names: ProjectNames

    var lines: Lines {
        .joined([
            imports,
            comment + ["struct \(method.interface): \(names.interface) {"]
                + Lines.joined([members, run, setError]).indented + ["}"],
        ])
    }

    private var imports: Lines {
        method.imports(toCreate: [method.responseFields]).union(["RocketRPC"]).sorted().map {
            "import \($0)"
        }
    }

    private var comment: Lines {
        DocComment.lines(
            method.model.comment, or: "One call of `\(method.fullName)`.",
            isDeprecated: method.model.isDeprecated)
    }

    private var members: Lines {
        let response = method.responseFields.minimalMessage(method.model.response)
        return [
            "let request: \(method.model.request)",
            "let call: \(names.rpc("RPCController"))",
            "let resources: \(names.resources)",
            "var response = \(response[0])",
        ] + response.dropFirst()
    }

    private var run: Lines {
        [
            "/// Fills `response`. Throw a `\(names.businessException)` to refuse the call.",
            "mutating func run() async throws {",
            "    // Your logic goes here. Without it, the response is empty.",
            "}",
        ]
    }

    /// The function that stores a refusal in the response, or that fails the call if the response
    /// has no fields for it.
    var setError: Lines {
        guard let fields = method.model.businessFields else { return failure }
        return [
            "/// Stores a refusal in the response.",
            "mutating func setError(_ error: \(names.businessException)) {",
        ] + fields.assignments(to: "response", from: "error").indented + ["}"]
    }

    private var failure: Lines {
        [
            "/// Fails the call with the refusal's code: the response has no ret_code and res_info.",
            "mutating func setError(_ error: \(names.businessException)) throws {",
            "    throw error",
            "}",
        ]
    }
}
