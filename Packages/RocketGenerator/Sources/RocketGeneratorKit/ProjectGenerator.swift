import Foundation

/// Plans the changes of a project's folder for a .proto file.
struct ProjectGenerator {
    /// Arguments of the command line.
    struct Request {
        var proto: String
        var output: String
        var importPaths: [String] = []
        var name: String?
        var port: UInt16 = 12345
        var rocket: String?
        var force = false

        init(proto: String, output: String) {
            self.proto = proto
            self.output = output
        }
    }

    private let request: Request
    private let tools: ToolFinder

    init(_ request: Request, tools: ToolFinder = ToolFinder()) {
        self.request = request
        self.tools = tools
    }

    /// Reads the .proto file and the folder, and returns the plan. Writes nothing.
    func plan() throws -> (folder: ProjectFolder, plan: ProjectPlan) {
        let compiler = ProtoCompiler(
            request.proto, importPaths: request.importPaths, tools: tools)
        let description = try compiler.describe()
        guard let file = description.mainDescriptor else {
            throw GeneratorFailure("protoc returned no descriptor of \(request.proto)")
        }
        let name =
            try request.name.map { try ProjectName($0) } ?? ProjectName(proto: description.main)
        let rocket = try RocketInstallation(request.rocket, tools: tools).source()
        let folder = ProjectFolder(output: request.output, name: name)
        let state = folder.state(module: name.module)
        let project = try ProjectReader(
            name: name, port: request.port, rocket: rocket, old: state.methods
        ).read(file)
        let tree = ProjectTree(
            project: project, protos: try description.texts(),
            generated: try compiler.generate(description))
        try refuseOtherPackage(folder, state)
        var plan = ProjectPlan(files: tree.files, state: state, force: request.force)
        plan.changes = MethodChanges(project: project, old: state.methods).lines
        return (folder, plan)
    }

    /// Throws if the folder has a Package.swift that the generator did not write.
    private func refuseOtherPackage(
        _ folder: ProjectFolder, _ state: FolderState
    ) throws(GeneratorFailure) {
        guard let manifest = state.text("Package.swift"), state.methods.isEmpty,
            GeneratedBlock.state(of: manifest) == .missing
        else { return }
        throw GeneratorFailure(
            "\(folder.path) holds another package: choose another folder with -o, or another name "
                + "with --name")
    }
}

/// Error for the user of the command line: why no project was written.
struct GeneratorFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line, without the program's name and without a full stop.
    let description: String
    /// Lines of another program's error output; printed before the description.
    let details: [String]

    init(_ description: String, details: [String] = []) {
        self.description = description
        self.details = details
    }
}
