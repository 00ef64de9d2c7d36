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

    /// swift-format removes the comma behind a single element.
    private var methods: Lines {
        let comma = service.methods.count > 1 ? "," : ""
        return service.methods.map { ".init(\($0.methodsName).\($0.model.swiftName))\(comma)" }
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
        let body =
            ["let service = \(method.implementation)(\(names.resources)())"] + call
            + ["#expect(\(method.responseExpectation))"]
        return [
            "@\(names.testing("Test"))(\"Returns a response\")",
            "func returnsResponse() async throws {",
        ] + body.indented + ["}"]
    }

    /// The call through the client or, since a warning is an error, through the channel if the
    /// client's function is deprecated.
    private var call: Lines {
        let name = method.model.swiftName
        if method.isDeprecated {
            return method.channel(names)
                + MessageCall.lines(
                    "let response = try await channel.call",
                    ["\(method.methodsName).\(name)"], method.requestFields)
        }
        return method.channel(names)
            + MessageCall.lines(
                "let response = try await client.\(name)", [], method.requestFields)
    }
}
