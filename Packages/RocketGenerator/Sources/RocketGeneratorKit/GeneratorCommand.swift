public import ArgumentParser
import RocketProgram

/// The command `rocket_generator`.
public struct GeneratorCommand: ParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "rocket_generator",
        abstract: "Generates a Rocket server project from .proto files, and updates it.",
        discussion: """
            EXAMPLES:
              Create the project ./order from order.proto, build it and start the server:
                rocket_generator -i order.proto -o . && cd order && make run
              Call the server:
                bin/test_order_client makeOrder 127.0.0.1 12345 '{"price": 100}'
              After a change of the .proto file, show the changes, then write them:
                rocket_generator -i Protos/order.proto -o . --diff
                make generate
              Use a .proto file that imports others, and another port:
                rocket_generator -i protos/shop.proto -I protos -o . --port 9000
              Serve the services of several files in one project:
                rocket_generator -i order.proto -i query.proto -o . --name shop
              Take Rocket from a git repository:
                rocket_generator -i order.proto -o . --rocket https://example.org/rocket

            Every run writes the generated files again. Your files (interfaces, tests, main.swift, \
            configuration) are written once and never changed afterwards. If you have edited a \
            generated file, your version is kept as FILE.mine. Errors in a .proto file are printed \
            in protoc's format, and nothing is written.

            The environment variable PROTOC names the protobuf compiler (default: protoc in PATH). \
            Files with editions need protoc 27 or newer, which Debian 12 does not have.

            \(helpSections.text)
            """,
        version: "rocket_generator \(RocketVersion.current)")

    @Option(
        name: [.short, .long],
        help: "A .proto file with services; can be given several times for one project.")
    var input: [String]

    @Option(
        name: [.short, .long],
        help: "The folder in which to create the project's folder, or an existing project.")
    var output: String

    @Option(
        name: [.customShort("I"), .long],
        help: "A folder with imported .proto files; can be given several times.")
    var importPath: [String] = []

    @Option(
        help: """
            The project's name (default: that of the project in the output folder, of the .proto file, \
            or of its package or service if the file is named service.proto or the like).
            """)
    var name: String?

    @Option(help: "The port in the configuration of a new project.")
    var port: UInt16 = 12345

    @Option(
        help: """
            The source of Rocket for a new project: the path of its repository, or the URL of a git \
            repository, optionally followed by #VERSION, #BRANCH or #COMMIT.
            """)
    var rocket: String?

    @Flag(help: "Write your files again, too; their old versions are kept as FILE.mine.")
    var forceUserFiles = false

    @Flag(help: "List the files that would be written, and write nothing.")
    var dryRun = false

    @Flag(help: "Show the changes line by line, and write nothing.")
    var diff = false

    private static let helpSections = HelpSections(
        exitStatuses: [.dataError, .noInput, .unavailable, .cannotCreate, .ioError],
        environment: [
            ("PROTOC", "The protobuf compiler. Default: protoc in PATH."),
            ("PATH", "Where protoc and protoc-gen-swift are searched."),
        ])

    /// Creates the command for the parser.
    public init() {}

    /// Runs the command.
    ///
    /// - Throws: `ProgramFailure` with an error message for the user.
    public func run() throws {
        var request = ProjectGenerator.Request(protos: input, output: output)
        request.importPaths = importPath
        request.name = name
        request.port = port
        request.rocket = rocket
        request.force = forceUserFiles
        do {
            let (folder, plan) = try ProjectGenerator(request).plan()
            if !dryRun && !diff { try folder.perform(plan) }
            show(plan, of: folder)
        } catch let failure as GeneratorFailure {
            for line in failure.details { StandardError.write(line: line) }
            throw ProgramFailure(failure.description, status: failure.status)
        }
    }

    private func show(_ plan: ProjectPlan, of folder: ProjectFolder) {
        let report = PlanReport(plan)
        if diff { StandardOutput.write(text: report.diff) }
        for line in report.summary { StandardOutput.write(line: line) }
        for warning in plan.warnings {
            StandardError.write(line: "rocket_generator: warning: \(warning)")
        }
        let written = plan.steps.filter(\.writes).count
        let verb = dryRun || diff ? "would write" : "wrote"
        let files = written == 1 ? "1 file" : "\(written) files"
        StandardOutput.write(
            line: "\(folder.path): " + (written == 0 ? "nothing to write" : "\(verb) \(files)"))
    }
}
