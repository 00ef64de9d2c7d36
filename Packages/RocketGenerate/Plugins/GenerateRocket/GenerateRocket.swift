import Foundation
import PackagePlugin

/// `swift package generate-rocket`: generates the Swift code of a package's .proto files with the
/// installed protoc. protoc's two plugins are built from the package's dependencies, so the code
/// matches the versions of the libraries that it is compiled with.
@main
struct GenerateRocket: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) async throws {
        guard !arguments.contains("--help") else { return print(Self.help) }
        let job = try ProtocJob(
            arguments, package: context.package.directoryURL,
            swiftPlugin: context.tool(named: "protoc-gen-swift").url,
            rocketPlugin: context.tool(named: "protoc-gen-rocket").url)
        try job.run(Protoc.installed())
        print("generated the code of \(job.files.count) .proto files in \(job.output.path)")
    }

    private static let help = """
        OVERVIEW: Generates Swift from a package's .proto files: messages, services and clients.

        USAGE: swift package --allow-writing-to-package-directory generate-rocket [OPTION…] [FILE…]

          --proto-path FOLDER    folder of the files and their imports (Protos)
          --output FOLDER        folder of the generated code (the only Sources/*/pb)
          --visibility LEVEL     Public, Package or Internal (Public)
          FILE…                  files in the proto path (all)

        Needs protoc (apt-get install protobuf-compiler); PROTOC names another executable.
        """
}

/// Error with a message for the user of the command line.
struct GenerateFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
