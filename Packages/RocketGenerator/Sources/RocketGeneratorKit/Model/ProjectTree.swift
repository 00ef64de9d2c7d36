import RocketGeneratorPlugin

/// Builds all files of a project, in the order in which they are written.
struct ProjectTree {
    let project: ProjectModel
    /// The .proto files: path relative to Protos/, and text.
    let protos: [(path: String, text: String)]
    /// Output of protoc's plugins.
    let generated: [GeneratedSource]

    var files: [ProjectFile] {
        protoFiles + generatedFiles + interfaceFiles + programFiles + testFiles + supportFiles
    }

    private var sources: String { "Sources/\(project.name.module)" }

    private var protoFiles: [ProjectFile] {
        protos.map { ProjectFile(path: "Protos/\($0.path)", text: $0.text, ownership: .copy) }
    }

    private var generatedFiles: [ProjectFile] {
        let hashes = Dictionary(
            protos.map { ($0.path, ContentHash.of($0.text)) },
            uniquingKeysWith: { first, _ in first })
        let pb = generated.map { source in
            let origin = ProtoRecord(path: source.proto, hash: hashes[source.proto] ?? "")
            return ("pb/\(source.name)", origin.line + "\n" + source.text)
        }
        let services = project.services.map {
            let template = ImplementationTemplate(service: $0, names: project.names)
            return ("service/\($0.implementation).swift", template.lines.text)
        }
        let clients = project.services.filter { !$0.methods.isEmpty }.map {
            let template = TestClientTemplate(project: project, service: $0)
            return ("test_client/\($0.testClient)/main.swift", template.lines.text)
        }
        return (pb + services).map { generatedFile("\(sources)/\($0)", $1) }
            + clients.map(generatedFile)
    }

    private var interfaceFiles: [ProjectFile] {
        let common = CommonTemplates(project: project)
        let methods = project.methods.map {
            let lines =
                $0.model.kind == .unary
                ? InterfaceTemplate(method: $0, names: project.names).lines
                : StreamTemplate(method: $0, names: project.names).lines
            return userFile("\(sources)/interface/\($0.interface).swift", lines)
        }
        return [userFile("\(sources)/interface/Interface.swift", common.interface)] + methods
            + [userFile("\(sources)/comm/BusinessException.swift", common.businessException)]
    }

    private var programFiles: [ProjectFile] {
        let manifest = ManifestTemplate(project: project).lines.text
        return [
            userFile(
                "Sources/\(project.name.program)/main.swift", MainTemplate(project: project).lines),
            ProjectFile(path: "Package.swift", text: manifest, ownership: .shared),
        ]
    }

    private var testFiles: [ProjectFile] {
        project.methods.map {
            userFile(
                "Tests/\(project.name.module)Tests/\($0.interface)Tests.swift",
                $0.model.kind == .unary
                    ? TestTemplate(project: project, method: $0).lines
                    : StreamTestTemplate(project: project, method: $0).lines)
        }
    }

    private var supportFiles: [ProjectFile] {
        let program = project.name.program
        let build = BuildTemplates(project: project)
        let conf = ConfigurationTemplates(program: program, port: project.port)
        let units = UnitTemplates(program: program, port: project.port)
        let scripts = ScriptTemplates(program: program)
        return [
            userFile("conf/rocket.xml", conf.rocketXML),
            userFile("conf/\(program).service", units.service),
            userFile("conf/\(program).socket", units.socket),
            userFile("bin/run.sh", scripts.run, isExecutable: true),
            userFile("bin/shutdown.sh", scripts.shutdown, isExecutable: true),
            userFile("Makefile", build.makefile),
            userFile("README.md", ReadmeTemplate(project: project).lines),
            userFile(".gitignore", build.ignore),
        ]
    }

    private func generatedFile(_ path: String, _ text: String) -> ProjectFile {
        ProjectFile(path: path, text: ContentHash.mark(text), ownership: .generated)
    }

    private func userFile(_ path: String, _ lines: Lines, isExecutable: Bool = false) -> ProjectFile
    {
        ProjectFile(path: path, text: lines.text, ownership: .user, isExecutable: isExecutable)
    }
}

/// A file of a generated project.
struct ProjectFile: Equatable {
    /// Owner of a file: decides what the next run does with it.
    enum Ownership: Equatable {
        /// Every run writes it again. It contains a hash, which detects edits.
        case generated
        /// Written once; afterwards it belongs to the user.
        case user
        /// Like `user`, except for the lines between two marks, which every run writes again.
        case shared
        /// A copy of an input file.
        case copy
    }

    /// Path relative to the project's folder.
    var path: String
    var text: String
    var ownership: Ownership
    var isExecutable = false
}
