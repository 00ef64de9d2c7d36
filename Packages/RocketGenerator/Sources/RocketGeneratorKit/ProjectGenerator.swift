import Foundation

/// The whole way from a .proto file to a plan for a project's folder.
struct ProjectGenerator {
    /// What was asked for.
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

    /// Reads the .proto file and the folder; writes nothing.
    func plan() throws -> (folder: ProjectFolder, plan: ProjectPlan) {
        let compiler = ProtoCompiler(
            request.proto, importPaths: request.importPaths, tools: tools)
        let description = try compiler.describe()
        guard let file = description.mainDescriptor else {
            throw GeneratorFailure("protoc told nothing of \(request.proto)")
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
        try refuseStrangers(folder, state)
        var plan = ProjectPlan(files: tree.files, state: state, force: request.force)
        plan.changes = MethodChanges(project: project, old: state.methods).lines
        return (folder, plan)
    }

    /// A folder with a Package.swift of somebody else's is no place for a project.
    private func refuseStrangers(
        _ folder: ProjectFolder, _ state: FolderState
    ) throws(GeneratorFailure) {
        guard let manifest = state.text("Package.swift"), state.methods.isEmpty,
            GeneratedBlock.state(of: manifest) == .missing
        else { return }
        throw GeneratorFailure(
            "\(folder.path) holds another package; choose another folder with -o, or another name "
                + "with --name")
    }
}
