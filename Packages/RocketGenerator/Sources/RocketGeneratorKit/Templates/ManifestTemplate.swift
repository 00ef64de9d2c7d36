import RocketGeneratorPlugin

/// Writes Package.swift.
struct ManifestTemplate {
    let project: ProjectModel

    var lines: Lines {
        .joined([
            ["// swift-tools-version: 6.2", "import PackageDescription"],
            SettingsTemplate.lines,
            ClientListTemplate.lines(project.services),
            rocket,
            dependencies,
            ["let package = Package("] + (head + packages + targets).indented + [")"],
        ])
    }

    /// The folder with Rocket's packages.
    private var rocket: Lines {
        guard let path = project.rocket.path else { return [] }
        return [
            "// The folder with Rocket's packages; the environment variable ROCKET names another one.",
            "let rocket = Context.environment[\"ROCKET\"] ?? \"\(path)\"",
        ]
    }

    /// Libraries that every target of the project depends on.
    private var dependencies: Lines {
        let products = RocketSource.products.map { "\(project.rocket.product($0))," }
        return ["let libraries: [Target.Dependency] = ["]
            + (products + [".product(name: \"SwiftProtobuf\", package: \"swift-protobuf\"),"])
            .indented + ["]"]
    }

    private var head: Lines {
        let program = project.name.program
        return [
            "name: \"\(program)\",",
            "products: [.executable(name: \"\(program)\", targets: [\"\(program)\"])],",
        ]
    }

    private var packages: Lines {
        let others = [
            ".package(url: \"https://github.com/apple/swift-protobuf\", from: \"1.39.0\"),",
            ".package(url: \"https://github.com/apple/swift-argument-parser\", from: \"1.8.2\"),",
        ]
        return ["dependencies: ["] + (project.rocket.dependencies + others).indented + ["],"]
    }

    private var targets: Lines {
        let (program, module) = (project.name.program, project.name.module)
        return ["targets: ["]
            + Lines(
                text: """
                        // The services: generated code and your implementation.
                        .target(name: "\(module)", dependencies: libraries, swiftSettings: settings),
                        // The server program.
                        .executableTarget(
                            name: "\(program)",
                            dependencies: libraries + [
                                "\(module)",
                                \(project.rocket.product("RocketGRPC")),
                                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                            ],
                            swiftSettings: settings),
                        .testTarget(
                            name: "\(module)Tests", dependencies: libraries + ["\(module)"],
                            swiftSettings: settings),
                    ]
                        + testClients.map { name in
                            .executableTarget(
                                name: name, dependencies: libraries + ["\(module)"],
                                path: "test_client/\\(name)", swiftSettings: settings)
                        }
                    """)
    }
}

/// Writes the compiler settings, which are those of Rocket's packages.
enum SettingsTemplate {
    static let lines = Lines(
        text: """
            let settings: [SwiftSetting] = [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ]
            """)
}

/// Writes the generated block of Package.swift: the list of test clients.
enum ClientListTemplate {
    /// Returns the lines between the marks.
    static func declaration(_ services: [ProjectService]) -> Lines {
        let names = services.filter { !$0.methods.isEmpty }.map { "\"\($0.testClient)\"" }
        guard names.count > 1 else { return ["let testClients = [\(names.joined())]"] }
        return ["let testClients = ["] + names.map { "    \($0)," } + ["]"]
    }

    static func lines(_ services: [ProjectService]) -> Lines {
        let declaration = declaration(services)
        return [GeneratedBlock.opening(for: declaration.text)] + declaration
            + [GeneratedBlock.closing]
    }
}
