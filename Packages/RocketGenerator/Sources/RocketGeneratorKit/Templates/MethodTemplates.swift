import RocketGeneratorPlugin

/// Writes the test client and the test of a method.
struct MethodTemplates {
    let project: ProjectModel
    let method: ProjectMethod
    private var names: ProjectNames { project.names }

    /// test_client/test_METHOD_client.swift.
    var testClient: Lines {
        let run = "await \(names.program("TestClient")).run"
        let constant = "\(method.methodsName).\(method.model.swiftName)"
        return Lines(
            text: """
                import \(["RocketProgram", project.name.module].sorted().joined(separator: "\nimport "))

                /// Calls `\(method.fullName)`: \(method.testClient) HOST PORT [JSON]
                @main
                struct \(method.interface)TestClient {
                    static func main() async {
                        \(run)(\(constant))
                    }
                }
                """)
    }

    /// Tests/NAMETests/METHODTests.swift.
    var test: Lines {
        .joined([
            imports,
            [
                "@\(names.testing("Suite"))(\"\(method.fullName)\")",
                "struct \(method.interface)Tests {",
            ]
                + testFunction.indented + ["}"],
        ])
    }

    private var imports: Lines {
        let messages = method.imports(toCreate: [method.requestFields, method.responseFields])
        let modules = messages.union(["RocketRPC", "Testing", project.name.module])
        return modules.sorted().map { "import \($0)" }
    }

    private var testFunction: Lines {
        let channel = names.rpc("RPCChannel")
        let request = method.requestFields.minimalMessage(method.model.request)
        let lines = [
            "@\(names.testing("Test"))(\"Returns a response\")",
            "func returnsResponse() async throws {",
            "    let service = \(method.implementation)(\(names.resources)())",
            "    let client = \(method.clientName)(try \(channel)(inProcess: [service]))",
            "    let request = \(request[0])",
        ]
        let check = [
            "let response = try await client.\(method.model.swiftName)(request)",
            "#expect(\(expectation))",
        ]
        return lines + (request.dropFirst() + check).map { "    \($0)" } + ["}"]
    }

    private var expectation: String {
        if let fields = method.model.businessFields { return "response.\(fields.code) == 0" }
        let isPlain = method.responseFields.paths.isEmpty
        return isPlain ? "response == \(method.model.response)()" : "response.isInitialized"
    }
}
