import RocketGeneratorPlugin

/// Writes test_client/NAME/main.swift: the program that calls a service, with a subcommand for each
/// method.
struct TestClientTemplate {
    let project: ProjectModel
    let service: ProjectService

    var lines: Lines {
        let run = "await \(project.names.program("TestClient")).run(["
        return .joined([
            ["RocketProgram", project.name.module].sorted().map { "import \($0)" },
            [
                "// Calls a method of `\(service.model.fullName)`: "
                    + "\(service.testClient) METHOD HOST PORT [JSON]",
                run,
            ] + methods.indented + ["])"],
        ])
    }

    private var methods: Lines {
        service.methods.map { ".init(\($0.methodsName).\($0.model.swiftName))," }
    }
}

/// Writes Tests/NAMETests/METHODTests.swift. The test names no message: one of the libraries that it
/// imports may have a type of that name.
struct TestTemplate {
    let project: ProjectModel
    let method: ProjectMethod
    private var names: ProjectNames { project.names }

    var lines: Lines {
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
        let call = "let response = try await client.\(method.model.swiftName)"
        let body =
            [
                "let service = \(method.implementation)(\(names.resources)())",
                "let client = \(method.clientName)(try \(channel)(inProcess: [service]))",
            ] + request(call) + ["#expect(\(expectation))"]
        return [
            "@\(names.testing("Test"))(\"Returns a response\")",
            "func returnsResponse() async throws {",
        ] + body.indented + ["}"]
    }

    /// Returns the call with a request that has only the required fields.
    private func request(_ call: String) -> Lines {
        let request = method.requestFields.minimalMessage()
        guard request.count > 1 else { return ["\(call)(\(request[0]))"] }
        return ["\(call)("] + (request.dropLast() + ["\(request[request.count - 1]))"]).indented
    }

    private var expectation: String {
        if let fields = method.model.businessFields { return "response.\(fields.code) == 0" }
        let isPlain = method.responseFields.paths.isEmpty
        return isPlain ? "response == .init()" : "response.isInitialized"
    }
}
