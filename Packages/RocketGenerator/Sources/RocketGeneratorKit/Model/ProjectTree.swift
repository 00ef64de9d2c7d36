import RocketGeneratorPlugin

/// All files of a project, in the order in which they are written.
struct ProjectTree {
    let project: ProjectModel
    /// The .proto files: path below Protos/, and text.
    let protos: [(path: String, text: String)]
    /// What the plugins made of them.
    let generated: [GeneratedSource]

    var files: [ProjectFile] {
        protoFiles + generatedFiles + interfaceFiles + programFiles + methodFiles + placeFiles
    }

    private var sources: String { "Sources/\(project.name.module)" }

    private var protoFiles: [ProjectFile] {
        protos.map { ProjectFile(path: "Protos/\($0.path)", text: $0.text, ownership: .copy) }
    }

    private var generatedFiles: [ProjectFile] {
        let hashes = Dictionary(
            protos.map { ($0.path, ContentHash.hash($0.text)) },
            uniquingKeysWith: { first, _ in first })
        let pb = generated.map { source in
            let origin = ProtoRecord(path: source.proto, hash: hashes[source.proto] ?? "")
            return ("pb/\(source.name)", origin.line + "\n" + source.text)
        }
        let services = project.services.map {
            let piece = ImplementationTemplate(service: $0, names: project.names)
            return ("service/\($0.implementation).swift", piece.lines.text)
        }
        return (pb + services).map {
            ProjectFile(
                path: "\(sources)/\($0)", text: ContentHash.sealed($1), ownership: .generated)
        }
    }

    private var interfaceFiles: [ProjectFile] {
        let common = CommonTemplates(project: project)
        let methods = project.methods.map {
            let piece = InterfaceTemplate(method: $0, names: project.names)
            return yours("\(sources)/interface/\($0.interface).swift", piece.lines)
        }
        return [yours("\(sources)/interface/Interface.swift", common.interface)] + methods
            + [yours("\(sources)/comm/BusinessException.swift", common.businessException)]
    }

    private var programFiles: [ProjectFile] {
        let manifest = ManifestTemplate(project: project).lines.text
        return [
            yours(
                "Sources/\(project.name.program)/main.swift", MainTemplate(project: project).lines),
            ProjectFile(path: "Package.swift", text: manifest, ownership: .shared),
        ]
    }

    private var methodFiles: [ProjectFile] {
        project.methods.flatMap {
            let pieces = MethodTemplates(project: project, method: $0)
            return [
                yours("test_client/\($0.testClient).swift", pieces.testClient),
                yours(
                    "Tests/\(project.name.module)Tests/\($0.interface)Tests.swift", pieces.test),
            ]
        }
    }

    private var placeFiles: [ProjectFile] {
        let program = project.name.program
        let build = BuildTemplates(project: project)
        let conf = ConfigurationTemplates(program: program, port: project.port)
        let scripts = ScriptTemplates(program: program)
        return [
            yours("conf/rocket.xml", conf.rocketXML),
            yours("conf/\(program).service", conf.service),
            yours("conf/\(program).socket", conf.socket),
            yours("bin/run.sh", scripts.run, isExecutable: true),
            yours("bin/shutdown.sh", scripts.shutdown, isExecutable: true),
            yours("Makefile", build.makefile),
            yours("README.md", ReadmeTemplate(project: project).lines),
            yours(".gitignore", build.ignore),
        ]
    }

    private func yours(_ path: String, _ lines: Lines, isExecutable: Bool = false) -> ProjectFile {
        ProjectFile(path: path, text: lines.text, ownership: .yours, isExecutable: isExecutable)
    }
}
