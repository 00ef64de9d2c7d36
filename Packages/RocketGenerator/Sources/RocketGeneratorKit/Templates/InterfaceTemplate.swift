import RocketGeneratorPlugin

/// Sources/NAME/interface/METHOD.swift: where a method's logic belongs.
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
        method.imports(toMake: [method.responseFields]).union(["RocketRPC"]).sorted().map {
            "import \($0)"
        }
    }

    private var comment: Lines {
        DocComment.lines(
            method.model.comment, or: "One call of `\(method.fullName)`.",
            isDeprecated: method.model.isDeprecated)
    }

    private var members: Lines {
        let response = method.responseFields.empty(method.model.response)
        return [
            "let request: \(method.model.request)",
            "let call: \(names.rpc("RPCController"))",
            "let resources: \(names.resources)",
            "var response = \(response[0])",
        ] + response.dropFirst()
    }

    private var run: Lines {
        [
            "/// Fills the response from the request; throws a `\(names.businessException)` to refuse.",
            "mutating func run() async throws {",
            "    // Your logic. Until there is some, the response is an empty one.",
            "}",
        ]
    }

    /// Fills the response where that has the fields, or fails the call.
    var setError: Lines {
        guard let fields = method.model.businessFields else { return failure }
        return [
            "/// Tells a refusal.",
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
