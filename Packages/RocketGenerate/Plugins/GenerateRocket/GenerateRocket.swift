import Foundation
import PackagePlugin

/// `swift package generate-rocket`: renews what the installed protoc and its two plugins make of a
/// package's .proto files. The plugins are built from the package's own dependencies, so that they
/// fit the libraries that their code is compiled with.
@main
struct GenerateRocket: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) async throws {
        guard !arguments.contains("--help") else { return print(Self.help) }
        let job = try ProtocJob(
            arguments, package: context.package.directoryURL,
            swiftPlugin: context.tool(named: "protoc-gen-swift").url,
            rocketPlugin: context.tool(named: "protoc-gen-rocket").url)
        try job.run(Protoc.installed())
        print("wrote \(job.files.count) .proto files' code to \(job.output.path)")
    }

    private static let help = """
        OVERVIEW: Writes Swift for a package's .proto files: messages, services, clients.

        USAGE: swift package --allow-writing-to-package-directory generate-rocket [OPTION…] [FILE…]

          --proto-path FOLDER    where the files and their imports are (Protos)
          --output FOLDER        where the code goes (the only Sources/*/pb)
          --visibility LEVEL     Public, Package or Internal (Public)
          FILE…                  below the proto path; all of them without

        Needs protoc: apt-get install protobuf-compiler. PROTOC names another one.
        """
}

/// What went wrong, in words for the person who typed the command.
struct GenerateFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
