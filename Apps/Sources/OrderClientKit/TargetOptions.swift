import ArgumentParser
import RocketBase
import RocketProgram
import RocketRPC

/// The options that say which server is called.
struct TargetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server: the name of a stub in the configuration, an address, or a name.",
            discussion:
                "HOST:PORT, [IPv6]:PORT, unix:PATH or a path; list:, dns:, srv:, file: or etcd: "
                + "(docs/guides/names.md). Default: the stub 'order'.",
            valueName: "address-or-stub"))
    var to: String?

    @Option(
        help: ArgumentHelp(
            "The configuration file with the stubs; not read if --to is an address.",
            discussion: "Default: \(localConfig), or else \(installedConfig)."),
        completion: .file(extensions: ["xml"]))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "What the server is: rocket-swift, or the C++ rocket or tinyrpc.",
            discussion: "Default: as the stub says, or rocket-swift.", valueName: "peer"),
        completion: .list(PeerKind.allCases.map(\.rawValue)),
        transform: { text in
            if let peer = PeerKind(rawValue: text) { return peer }
            throw ValidationError("'\(text)' is not one of rocket-swift, rocket, tinyrpc.")
        })
    var peer: PeerKind?

    @OptionGroup(title: "TLS, in place of what the stub says") var tls: TLSOptions

    /// The stub without --to.
    static let defaultStub = "order"
    /// The configuration without --config, in the current folder.
    static let localConfig = "conf/rocket.xml"
    /// The configuration without --config where there is no local one.
    static let installedConfig = "\(ConfigurationFile.installedFolder)/order_client.xml"

    /// Returns the server; reads the configuration if it is a stub.
    ///
    /// - Parameters:
    ///   - root: is prepended to the path of the installed configuration, in tests.
    ///   - folder: is prepended to the path of the local one, in tests.
    func target(root: String = "", folder: String = "") throws(ProgramFailure) -> ServerTarget {
        var target = try serverTarget(root: root, folder: folder)
        if let peer { target.configuration.peer = peer }
        if let settings = tls.settings { target.tls = settings }
        return target
    }

    private func serverTarget(root: String, folder: String) throws(ProgramFailure) -> ServerTarget {
        // Every address contains a colon or a slash, and no name of a stub does.
        if let to, to.contains(where: { ":/".contains($0) }) {
            do { return try ServerTarget(address: to) } catch {
                throw ProgramFailure("--to \(to): \(error)", status: error.status)
            }
        }
        let file = try ConfigurationFile.find(
            config, local: Self.localConfig, installed: Self.installedConfig,
            option: "--config FILE, or the server: --to ADDRESS", root: root, folder: folder)
        return try ServerTarget(stub(in: file))
    }

    private func stub(in file: String) throws(ProgramFailure) -> StubConfig {
        let config = try ConfigurationFile.read(file)
        do { return try config.stub(named: to ?? Self.defaultStub) } catch {
            // The only stub of a configuration is used whatever its name is.
            if to == nil, config.stubs.count == 1 { return config.stubs[0] }
            throw ProgramFailure("\(file): \(error)", status: .configuration)
        }
    }
}
