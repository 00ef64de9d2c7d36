public import ArgumentParser
import RocketProgram

/// `rocket_generator` as it is typed.
public struct GeneratorCommand: ParsableCommand {
    /// Name, help and version.
    public static let configuration = CommandConfiguration(
        commandName: "rocket_generator",
        abstract: "Writes a Rocket service from a .proto file, and renews it.",
        discussion: """
            EXAMPLES:
              Make the project ./order from order.proto, build it and start it:
                rocket_generator -i order.proto -o . && cd order && make run
              Call it:
                bin/test_make_order_client 127.0.0.1 12345 '{"price": 100}'
              After a change of the .proto file, see what a run would do, then do it:
                rocket_generator -i Protos/order.proto -o . --diff
                make generate
              A .proto file that imports others, and another port:
                rocket_generator -i protos/shop.proto -I protos -o . --port 9000
              With Rocket from a git repository:
                rocket_generator -i order.proto -o . --rocket https://example.org/rocket

            Generated files are renewed each time; yours (interfaces, tests, main.swift, \
            configuration) are written once and never touched again. What was written into a \
            generated file by hand is kept as FILE.mine. What is wrong in the .proto file is told as \
            protoc tells it, and then nothing is written.
            """,
        version: "rocket_generator \(RocketVersion.current)")

    @Option(name: [.short, .long], help: "The .proto file with the service.")
    var input: String

    @Option(
        name: [.short, .long],
        help: "The folder in which the project's folder is made, or the project itself.")
    var output: String

    @Option(
        name: [.customShort("I"), .long],
        help: "Where imports are looked for; may be given several times.")
    var importPath: [String] = []

    @Option(help: "The project's name; without, that of the .proto file.")
    var name: String?

    @Option(help: "The port that a new project's configuration names.")
    var port: UInt16 = 12345

    @Option(
        help: """
            Where a new project takes Rocket from: the path of its repository, or the URL of a git \
            repository, with #VERSION, #BRANCH or #COMMIT behind it.
            """)
    var rocket: String?

    @Flag(help: "Write your files anew, too; what they held is kept as FILE.mine.")
    var forceUserFiles = false

    @Flag(help: "Say what would be written, and write nothing.")
    var dryRun = false

    @Flag(help: "Show what would be written, line by line, and write nothing.")
    var diff = false

    /// As the parser makes it.
    public init() {}

    /// Does what was typed; `ProgramFailure` tells what went wrong.
    public func run() throws {
        var request = ProjectGenerator.Request(proto: input, output: output)
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
            throw ProgramFailure(failure.description)
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
        let would = dryRun || diff ? "would write" : "wrote"
        StandardOutput.write(
            line: written == 0
                ? "\(folder.path): nothing to write" : "\(folder.path): \(would) \(written) files")
    }
}
