import RocketGeneratorPlugin

/// Package.swift.
struct ManifestTemplate {
    let project: ProjectModel

    var lines: Lines {
        .joined([
            ["// swift-tools-version: 6.2", "import PackageDescription"],
            SettingsTemplate.lines,
            ClientListTemplate.lines(project.methods),
            dependencies,
            ["let package = Package("] + (head + packages + targets).indented + [")"],
        ])
    }

    /// What every target of the project stands on.
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
                        // The services: what the .proto file says, and what you make of it.
                        .target(name: "\(module)", dependencies: libraries, swiftSettings: settings),
                        // Only wires.
                        .executableTarget(
                            name: "\(program)",
                            dependencies: libraries + [
                                "\(module)",
                                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                            ],
                            swiftSettings: settings),
                        .testTarget(
                            name: "\(module)Tests", dependencies: libraries + ["\(module)"],
                            swiftSettings: settings),
                    ]
                        + testClients.map { name in
                            .executableTarget(
                                name: name, dependencies: libraries + ["\(module)"], path: "test_client",
                                sources: ["\\(name).swift"], swiftSettings: settings)
                        }
                    """)
    }
}
