import RocketGeneratorPlugin
import RocketProgram

/// Plans the changes of a project's folder for .proto files.
struct ProjectGenerator {
    /// Arguments of the command line.
    struct Request {
        var protos: [String]
        var output: String
        var importPaths: [String] = []
        var name: String?
        var port: UInt16 = 12345
        var rocket: String?
        var force = false

        init(protos: [String], output: String) {
            self.protos = protos
            self.output = output
        }
    }

    private let request: Request
    private let tools: ToolFinder

    init(_ request: Request, tools: ToolFinder = ToolFinder()) {
        self.request = request
        self.tools = tools
    }

    /// Reads the .proto files and the folder, and returns the plan. Writes nothing.
    func plan() throws -> (folder: ProjectFolder, plan: ProjectPlan) {
        let compiler = try ProtoCompiler(
            request.protos, importPaths: request.importPaths, tools: tools)
        let description = try compiler.describe()
        let files = description.mainDescriptors
        guard files.count == description.mains.count else {
            throw GeneratorFailure(
                "protoc returned no descriptor of \(request.protos.joined(separator: ", "))")
        }
        let name =
            try request.name.map { try ProjectName($0) }
            ?? ProjectFolder.nameOfProject(in: request.output) ?? ProjectName(protos: files)
        let folder = ProjectFolder(output: request.output, name: name)
        let state = folder.state(module: name.module)
        let rocket = try RocketInstallation(request.rocket, tools: tools)
            .source(manifest: state.text("Package.swift"))
        let project = try ProjectReader(
            name: name, port: request.port,
            rocket: rocket.named(in: AbsolutePath.resolved(folder.path)), old: state.methods
        ).read(files)
        let tree = ProjectTree(
            project: project, protos: try description.texts(),
            generated: try compiler.generate(description))
        try Self.refuseOther(
            at: folder.path, state, services: Set(project.services.map(\.model.fullName)),
            isOwn: request.protos.contains { folder.contains($0) })
        var plan = ProjectPlan(files: tree.files, state: state, force: request.force)
        plan.changes = MethodChanges(project: project, state: state).lines
        return (folder, plan)
    }

    /// Throws if the folder has a Package.swift that the generator did not write, or if it is the
    /// project of other services.
    ///
    /// - Parameters:
    ///   - services: full names of the services of the .proto files.
    ///   - isOwn: whether a .proto file is in the project itself, so that its service was renamed.
    static func refuseOther(
        at path: String, _ state: FolderState, services: Set<String>, isOwn: Bool
    ) throws(GeneratorFailure) {
        if let manifest = state.text("Package.swift"), state.methods.isEmpty,
            GeneratedBlock.state(of: manifest) == .missing
        {
            throw GeneratorFailure(
                "\(path) holds another package: choose another folder with -o, or another name with "
                    + "--name", status: .cannotCreate)
        }
        guard !state.services.isEmpty, state.services.isDisjoint(with: services), !isOwn else {
            return
        }
        throw GeneratorFailure(
            "\(path) is the project of \(state.services.sorted().joined(separator: ", ")): choose "
                + "another name with --name; if a service was renamed, change its file in "
                + "\(path)/Protos and run make generate", status: .cannotCreate)
    }
}

/// Error for the user of the command line: why no project was written.
struct GeneratorFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line, without the program's name and without a full stop.
    let description: String
    /// Lines of another program's error output; printed before the description.
    let details: [String]
    /// The status with which the program ends.
    let status: ExitStatus

    init(
        _ description: String, details: [String] = [], status: ExitStatus = .dataError
    ) {
        self.description = description
        self.details = details
        self.status = status
    }
}
