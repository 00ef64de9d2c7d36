import ArgumentParser
import RocketBase
import RocketCodec
import RocketRPC

/// The options of a test client, which may stand anywhere between its arguments.
struct TestClientOptions: ParsableArguments {
    @Flag(help: "Call by gRPC in place of TinyPB.")
    var grpc = false

    @Option(
        help: ArgumentHelp("Metadata of the call; may be repeated.", valueName: "key=value"),
        transform: MetadataArgument.init)
    var metadata: [MetadataArgument] = []

    @Option(
        help: ArgumentHelp(
            "The longest that connecting and the call may take: 500ms, 2s.",
            valueName: "duration"))
    var timeout: DurationArgument?

    @OptionGroup var tls: TLSOptions

    /// The controller of the call.
    var controller: RPCController {
        var all = RPCMetadata()
        for entry in metadata { all.add(entry.value, for: entry.key) }
        return RPCController(timeout: timeout?.duration, metadata: all)
    }

    /// The longest that looking up the server's name may take, and connecting to it.
    var connectTimeout: Duration { timeout?.duration ?? .seconds(2) }

    /// Splits the options from the other arguments.
    ///
    /// - Throws: `ProgramFailure` (usage) with the option that is wrong.
    static func split(
        _ arguments: [String]
    ) throws(ProgramFailure) -> (options: TestClientOptions, rest: [String]) {
        var own: [String] = []
        var rest = arguments[...]
        var others: [String] = []
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument != "--" else {
                others.append(argument)
                continue
            }
            own.append(argument)
            if !["--grpc", "--tls"].contains(argument), !argument.contains("="),
                let value = rest.popFirst()
            {
                own.append(value)
            }
        }
        do { return (try TestClientOptions.parse(own), others) } catch {
            throw ProgramFailure(TestClientOptions.message(for: error), status: .usage)
        }
    }
}

/// One entry of metadata on a command line: `KEY=VALUE`. The value of a key that ends in `-bin` is
/// base64.
struct MetadataArgument: Hashable, Sendable {
    /// In lower case.
    let key: String
    /// What is behind the first `=`.
    let value: String

    /// Parses an entry.
    init(_ text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let key = parts[0].lowercased()
        guard parts.count == 2, RPCMetadata.isValid(key: key) else {
            throw ValidationError(
                "'\(text)' is no KEY=VALUE; a key consists of a-z, 0-9, - _ and .")
        }
        self.key = key
        value = String(parts[1])
    }
}
