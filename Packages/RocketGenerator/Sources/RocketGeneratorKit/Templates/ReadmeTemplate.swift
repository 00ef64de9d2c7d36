import RocketGeneratorPlugin

/// README.md.
struct ReadmeTemplate {
    let project: ProjectModel
    private var program: String { project.name.program }
    private var module: String { project.name.module }

    var lines: Lines { .joined([head, commands, map, after]) }

    private var head: Lines {
        let services = project.services.map { "`\($0.model.fullName)`" }.joined(separator: ", ")
        return ["# \(program)", "", "Serves \(services) over TinyPB with Rocket."]
    }

    private var commands: Lines {
        let client = project.methods.first?.testClient ?? ""
        return Lines(
            text: """
                ```
                make && make test                      # needs Swift 6.2, libtinyxml-dev, libsystemd-dev
                make run                               # starts bin/\(program), returns once it answers
                bin/\(client) 127.0.0.1 \(project.port) '{}'
                make stop                              # lets calls under way finish
                sudo make install                      # a service of systemd
                ```
                """)
    }

    private var map: Lines {
        Lines(
            text: """
                | where | what | whose |
                |---|---|---|
                | `Protos/` | the .proto files | yours |
                | `Sources/\(module)/interface/` | one type a method: its logic, `run()` and `setError()` | yours |
                | `Sources/\(module)/comm/` | what refuses by the rules of the service | yours |
                | `Sources/\(program)/main.swift` | wires configuration, log, service, signals, systemd | yours |
                | `Tests/`, `test_client/` | a test and a client for each method | yours |
                | `conf/`, `bin/*.sh`, `Makefile` | configuration, units, start and stop | yours |
                | `Package.swift` | between its two marks renewed, else yours | both |
                | `Sources/\(module)/pb/`, `Sources/\(module)/service/` | messages, services, clients | renewed |
                """)
    }

    private var after: Lines {
        Lines(
            text: """
                After a change of `Protos/\(project.protoPath)` run `make generate`: it renews what is generated, adds what new
                methods need, names what removed ones leave behind, and touches nothing of yours.
                `rocket_generator --diff` shows it first. `swift package --allow-writing-to-package-directory
                generate-rocket` renews `Sources/\(module)/pb/` alone.
                """)
    }
}
